"""Bytes out: from what is said to a row of the outbox, and from there to a receipt.

This room knows intents, attempts and receipts; it does not know platforms (adapters build requests).
Read `compose` (content to an intent), `preview` (what would be sent), `verbs` (edits, reactions and
their like), `handle` (what `send` returns), then `sender` (claim, request, settle) and `outgoing`
(a claimed row as an adapter's argument).
"""
