"""What platforms document of a request that they take, as tables: a fake that is kinder than its platform is wrong.

This room knows counts, lengths, members and the platforms' own errors; it does not know which messages there are, or who
may be written to. Read `rules` (what a row of a table says, and how a request is held against it), then `telegram`, `slack`
and `whatsapp` (a table each, with the platform's own error in every row), `whatsapp_files`.
"""
