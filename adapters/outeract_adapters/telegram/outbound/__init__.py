"""Methods out: what is said, as calls of the Bot API.

This room knows methods and their limits; it does not know updates. Read `send` (the flow), `compose`
(a part as calls), `aside` (to one person in a group), `markup`, `keyboards`, `media`, `cards`, and `acts` (edits, deletion, reactions).
"""
