"""Units of work that answer: bounded by their page, whatever the history.

This room knows how rows are found; it does not know who asks. Read `queries` (a filter as SQL),
`views` (conversations), `standing` (messages as they stand), `history` (what a language model is
shown), `walks` (the graph), `states`, `routes`, `finding` (search), `ranking` (the best of it), `explain`, `health`,
`undelivered`, `unhandled`, `backlog` (work that is left), `arrivals` (what handlers have before them), `enrolment` (where one begins), `chains` (what led to it).
"""
