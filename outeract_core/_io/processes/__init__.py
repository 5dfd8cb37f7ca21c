"""Which process works for what, and what runs in it: nobody ends silently, nobody takes the rest along.

This room knows processes, their leases and their children; it does not know what the work is. Who is
that: `process` (`windows`), `liveness`. Who works for which application: `ownership`. What runs and how
it ends: `supervisor`, `shutdown`, `grace`; when who began it has gone: `orphan`.
"""
