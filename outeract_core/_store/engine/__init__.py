"""SQLite: the only room that imports apsw.

This room knows connections, transactions, the log and the schema's versions; it does not know what a
table is for. Read `sqlite` (the transaction behind the port; with `translating`, its errors as ours),
`opening` (how a file is opened, or a database without one), `reader` (what only reads), `writer` (what writes), `statements` (SQL by name) with `dialect`
(its macros), `composed` (queries that are composed when they are asked), `columns` (the doors of content),
`seen` (what a connection notices by itself), `sets` (one statement for many rows), `migrations`, `schema` (is it still ours?),
`checks` (is it well?), `guards` (what its triggers let pass), `foreign` (files that are not ours), `wal`,
`limits` (how long a query may go on), `full_text` (FTS5), `copying` (a copy of the file).
"""
