"""The contract of an adapter, as tests that its author subclasses.

This room knows what core relies on; it does not know any platform. Read `adapter` (the whole),
`manifest`, `inbound`, `facts`, `outbound`, `flows`; `subject`, `hostile` and `sealed` are what they
have in common.
"""
