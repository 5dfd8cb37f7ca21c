"""Updates in: what Telegram tells, as facts.

This room knows the Bot API's objects; it does not know requests of our own. Read `parse`, then
`everyday` (the short way), `messages`, `members`, `content`, `rich`, `entities`, `service`, `happenings`, `reactions`;
`people`, `item` and `scope` say who and where; `poll` asks for what a webhook would bring; `files`.
"""
