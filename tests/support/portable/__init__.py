"""The named statements as PostgreSQL is given them: it is asked whether it understands each.

Read `words` (its dialect, and its way to name parameters), `schema` (our tables, as it has them),
`warden` (a folder whose server outlives nobody), `server` (one of its own, for as long as it is asked), `composed`
(queries that are composed when they are asked), `asked` (what it answers; which statements are SQLite's own). The command is `python3 -m tests.portable`.
"""
