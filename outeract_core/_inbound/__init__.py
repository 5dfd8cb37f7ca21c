"""Bytes in: from a platform's request to a commit, and only then an answer.

This room knows webhooks, polls, kept deliveries and inbound files; it does not know handlers or how
anything is sent. Read `web` (ASGI and WSGI), `receiver` (verify, read, commit, answer), `doors` (addresses), `refusals` (what is not taken), `reading`
(what a delivery holds), `strangers` (what an adapter of somebody else may hand over), `pinning` (whose a
connection is), `routing` (whose each item is), `quotas` (who is held back), `keeping` (what is not understood), `rereading` (what was kept of one), `gaps` (what
nobody will deliver any more),
`reactions` (what is done in the same commit), `downloader` (files), `profiles` (who people are), `poller` (who has no webhook).
"""
