"""What a row of the store is: nodes by number, entities, the log itself.

This room knows keys and columns; it does not know why a row is written. Read `log` (append, link),
`nodes` (ids to numbers), `rows` (numbers to entities), `conn` (a connection for units of work), `doors`
(addresses of webhooks), `attempts` (what was tried in vain).
"""
