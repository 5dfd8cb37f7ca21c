"""What the scenarios stand on: worlds, traffic, the floor, children that are started or killed.

This room knows files, bytes and the best SQL known; it does not know goals. Read `world` (the filled
file; `multiplied`, how a large one is made) with `targets`, `held` and `reads`; `traffic`, `platform`, `slow` and `stages` (what comes in and
goes out), `echo` (a bot that answers), `computing` (a host that has other things to do), `holds` (how long its loop is held); `ranks` (every kind of search by rank); `writing` with `floor` and `floor_outbox`; `start_child` and `crash_child` are programs of
their own, `crash_verdict` judges what the second has left.
"""
