"""Tables and small rules that several rooms share.

This room knows decisions; it does not know who asks or where the facts come from. Read `delivery`
(statuses and their order), `link_code`, `patterns` (event types), `near` (what was probably meant),
`query_language` (what is typed into a search), `pacing`, `guard` (what others' code raises), `naming` (the one form of an id), `tenant_names` (what an application may be called), `credentials` (what of a delivery is never kept), `sharing` (applications among processes), `fair` (what is due among connections),
`waking` (which events wake a handler), `redaction` (what of an event is another person's), `shapes` (what the payloads of the library's own events are).
"""
