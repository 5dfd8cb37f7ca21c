"""A history as a language model is shown it: who said what, in a form that nobody can forge.

This room knows how a message, a press, a reaction and an event of the host's own read as text; it
does not know how they were found (`_store/reading/history.py`), nor any model's protocol. Read `shown`
(what a person wrote, so that it cannot leave its place; what each is called), `words` (a message in
words), `happened` (a press, a reaction), `turns` (a history), `budget`.

What people cannot write stands in square brackets, first on a line: `[image: cat.jpg]`. A line of a
person's that begins like that gets a backslash before its bracket. Where several people speak, a turn
is `Name: text`, and every further line of it is indented by two spaces; a name is one line, without
`:`, `#`, `[` and `]` (their wide twins stand for them), and two people of one name carry `#` and their
id behind it. What nobody sees on a screen (control characters, overrides of direction, tags) is left
out. So each line tells who wrote it, and no text can look like another's.
"""
