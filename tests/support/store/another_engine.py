"""A dialect in which each word shows that it was asked for: no engine speaks so."""

from __future__ import annotations

from outeract_core.driver import Dialect

OTHER = Dialect(
    each="(SELECT value FROM unnest(CAST(:{name} AS {type}[])) u(value))",
    within="= ANY(:{name})",
    pin="CROSS JOIN LATERAL (SELECT * FROM {table} {alias} WHERE {condition} OFFSET 0) {alias}",
    is_text="is_text({column})",
    empty="''",
    json_kind="kind_of({doc}, {path})",
    json_text="text_of({doc}, {path})",
    json_number="number_of({doc}, {path})",
    places="places_of({doc}, {path}) {name}(value)",
    is_place="{name}.value IS NOT NULL",
    place_doc="{name}.value",
    place_path="",
    contains="strpos({text}, {part}) > 0",
    folded="lower(coalesce({text}, ''))",
    types={"number": "bigint", "text": "text"},
)
