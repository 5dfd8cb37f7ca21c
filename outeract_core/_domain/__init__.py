"""The pure middle: values in, values out. No clock, no thread, no socket, no SQL.

This room knows formats, rules and plans; it does not know where a value comes from or goes.

`values` (ids, JSON), `rules` (tables and small rules), `planning` (what fits a platform), `transcript`
(what a language model is shown).
"""
