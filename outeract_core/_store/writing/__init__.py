"""Units of work that change the file, each a plain function of a transaction.

This room knows what belongs into one commit; it does not know when it happens or what came before.
Inbound: `ingest`, `bulk`, `people`, `conversations`, `files`, `raw_deliveries`. Outbound: `sending`,
`delivery`, `claims`, `outbox`. Handlers: `handlers`, `enrolment`. Who is who: `tenants`, `identity`, `link_codes`, `tombstones`. The host's own:
`custom`. The index: `search`.
"""
