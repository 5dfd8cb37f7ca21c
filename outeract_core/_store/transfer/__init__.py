"""Rows out of a file and into another, rows that leave for good, and rows that are read again.

This room knows tables column by column; it does not know folders or formats of files. Read `tables`
with `values` (what may stand in a column) and `relative` (what it is called without its file), `dump`, `load` with
`storing`, `importing` with `soundness`, `copies`, `retention_rules`, `retention`, `rebuild`, `spelling`, `rereading`.
Who is forgotten: `erasure` with `quotes` (what of others' events is theirs), then `erasing` (piece by piece).
"""
