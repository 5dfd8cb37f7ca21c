"""Ids and JSON, as the store and the wire write them.

This room knows formats; it does not know entities. Read `ids`, then `codec` (`quick` reads for it what the extra `fast`
takes), and `stored` (the way back, where damage shows); `names` makes file names and MIME types safe; `sinks` writes what
people wrote where it is shown; `digests` is how bytes are called, and read; `at_rest` by which doors content gets to the
disk and back; `interrupt` how long work is stopped; `classes` how a class of values is made; `paths` what a store is called in messages.
"""
