"""The store: SQL by name, and the units of work that use it. Nothing here waits.

This room knows what is kept and how it is found; it does not know platforms, threads or who asks.

`engine` (SQLite itself), `records` (what a row is), `writing` (units that change), `leases` (who
holds what), `reading` (units that answer), `transfer` (rows out of and into files, retention), `sql`
(statements, migrations).
"""
