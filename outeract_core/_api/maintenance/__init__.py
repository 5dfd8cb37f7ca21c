"""What keeps a file in order over years: copies, moves, retention, the search index in idle time.

This room knows folders, files and when a rule is due; it does not know rows. Read `backup`,
`export` and `export_file`, `importing` and `import_file`, `retention`, `indexing`, `rereading` (today's parser over the past).
"""
