"""What the verbs of an application have done, each part of which is read with the first of its verbs.

This room knows in which order the parts of the library are asked; it does not know the verbs, which stand in the room
above. Read `saying` (a message), `emitting` (events and edges of the host's own), `registering` (a handler), `recovery`
(what came to nothing), `checking` (what platforms say of connections).
"""
