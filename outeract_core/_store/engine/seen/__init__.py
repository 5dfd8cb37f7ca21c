"""What one connection notices by itself of its file and of its host.

This room knows no SQL and nothing of SQLite's interface; it does not know what is done about what it tells. Read `known`
(what it has learnt, and how long that is true), `logged` (how long the log is) and `waits` (whether it has to wait for
Python's lock).
"""
