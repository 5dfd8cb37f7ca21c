"""Bytes out: from what is said to a row of the outbox, and from there to a receipt.

This room knows intents, attempts and receipts; it does not know platforms (adapters build requests).
Read `compose` (content to an intent), `preview` (what would be sent), `obstacles` (what is known to
fail), `verbs` (reactions, deletions and their like) and what they have done, `acting`, `editing` (new words for a message in parts), `again`
(what has failed, said again), `handle` (what `send` returns), `joining` (verbs inside a turn); then the
way of a claimed row: `sender` (which lanes), `resting` (of which connections), `attempt` (begin, request,
settlement), `outgoing` (the row as an adapter's argument), `leaving` (the last look before a request),
`settle` (what each ending leads to), `doubt` (what was left while sending).
"""
