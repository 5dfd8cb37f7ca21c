-- What every message that is sent looks for has a number from the beginning: what has none is looked up each time.
INSERT OR IGNORE INTO kind(name) VALUES ('has_blocked'), ('has_unblocked');
