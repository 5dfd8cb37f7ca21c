"""Queries that are composed when they are asked: their words come from here, their values are parameters.

This room knows columns and how texts are put together; it does not know what is asked for, and an
engine's own words only as a `Dialect`. Read `conditions` (filters on events), `walking` (a walk along
edges), `merging` (one query for several sources), `tables` (rows by a table's description), `together` (several
queries in one statement), `messages` (all that stands around messages, so), `gathered` (all rows of a query
as one) and `bundled` (rows for several tables as one statement).
"""
