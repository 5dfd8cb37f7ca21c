"""Results as a person or a program reads them.

This room knows tables and charts; it does not know how anything was measured. Read `shown` (one
result), `report` (several runs, for the documentation), `chart`.
"""
