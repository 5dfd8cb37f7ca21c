"""Reads for the host, by subject; each is an attribute of an application.

This room knows what may be asked and how an answer looks; it does not know SQL. Read `events`
(and `matching`: whether a filter can match anything), then
`conversations`, `people`, `graph`, `search`, `files`; `schemas` checks payloads of the host's own, its
`expressions` within a time.
"""
