"""Rows out of a file and into another, rows that leave for good, and rows that are read again.

This room knows tables column by column; it does not know folders or formats of files. Read `tables`,
`dump`, `load`, `importing`, `copies`, `retention_rules`, `retention`, `rebuild`, `spelling`,
`rereading`.
"""
