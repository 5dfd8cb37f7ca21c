"""What platforms document of a request that they take, as tables: a fake that is kinder than its platform is wrong.

Read `rules` (what a row of a table says, and how a request is held against it), then `telegram`, `slack` and
`whatsapp`: a table each, with the platform's own error in every row.
"""
