"""Worker threads: work that may be large is done there, and stops when nobody waits for it.

This room knows threads and deadlines; it does not know what is worked on. Read `aside`; then `handover`
(how long threads wait for each other), `loop` (an event loop in a thread of its own).
"""
