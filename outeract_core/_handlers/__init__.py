"""Handlers behind a durable cursor: they run at least once, their effects count exactly once.

This room knows lanes, turns and their commit; it does not know the application's handle, platforms,
or how a reply is delivered. Read `turn` (what one run says), `lanes` (what is to be run, in order),
`hosted` (what an application gives), `dispatcher` (the runs themselves).
"""
