"""Threads: work that may be large is done in one, and stops when nobody waits for it; what they bring each other.

This room knows threads and deadlines; it does not know what is worked on. Read `aside`; then `arrivals` (how much
a thread takes at a time), `handover` (how long threads wait for each other), `loop` (an event loop in a thread of its own).
"""
