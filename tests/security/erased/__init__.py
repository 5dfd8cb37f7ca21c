"""What is left of somebody who was erased. Read `test_erasure` (what goes), `test_grep` (a whole life)."""
