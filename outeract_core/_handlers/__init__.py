"""Handlers behind a durable cursor: they run at least once, their effects count exactly once.

This room knows lanes, turns and their commit; it does not know the application's handle, platforms,
or how a reply is delivered. Read `handler` (what a host asks for), `turn` (what one run says), `current` (which one runs here),
`bursts` and `looking` (what one turn is given), `lanes` (what is to be run, in order), `endings` (how a run ends),
`elsewhere` (in a worker process),
`outcomes` (what is committed then), `hosted` (what an application gives), `dispatcher` (the runs).
"""
