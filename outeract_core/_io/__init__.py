"""The two doors, where waiting is done, and what stays open as long as the core does.

This room knows threads, sockets, folders, clocks and the environment; it does not know what a unit
of work or a request is for. Door one: `database`, with `opening`, `write_queue`, `wakeup`,
`checkpointer`. Door two: the room `web`, with `slots` (who has how many requests). Beside them `quotas` (what applications use), `handed` (credentials that came with an event), `readers`, `log`, `troubles` (what a round of work reports), `rests` (who is left alone for a while, and why), `steady` (a clock for intervals), `heartbeat` (leases on what is in hand), `forgetting` (what was decided to go), `plugins`
(adapters), `connections` (which one is meant). `runtime` holds them together, `tenant` is one application's view of the
database. Below it stand `disk` (where things lie), `secrets`, `processes` and `threads`.
"""
