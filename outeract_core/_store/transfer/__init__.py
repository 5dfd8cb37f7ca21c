"""Rows out of a file and into another, and rows that leave for good.

This room knows tables column by column; it does not know folders or formats of files. Read `tables`,
`dump`, `load`, `importing`, `copies`, `retention_rules`, `retention`, `rebuild`, `spelling`.
"""
