"""The store: SQL by name, and the units of work that use it."""
