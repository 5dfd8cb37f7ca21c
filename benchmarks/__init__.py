"""Benchmarks: how near the library comes to the floor, in the same run on the same machine.

This room knows how a run goes; it does not know what is measured. Read `suite` (which there are),
`measure` (what one says), `took`, `memory`, `progress`; then `scenarios` (what is measured), `ground`
(on what), `peers` and `readers` (against whom), `reporting` (how it is told).
"""
