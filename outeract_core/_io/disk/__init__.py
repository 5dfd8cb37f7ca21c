"""Where things lie: the path of the database, and the bytes beside it.

This room knows paths, rights and digests; it does not know what a database holds. Read `place` (where
the file is), `marks` (whether it still is that file), `private` (rights, exclusive names, no links), then
`file_store` (bytes by content).
"""
