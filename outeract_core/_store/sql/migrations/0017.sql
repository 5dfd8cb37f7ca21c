-- Whose an item is that a shared address brings: one look by its account, however many connections there are.
CREATE INDEX connection_account ON connection(platform, account) WHERE account IS NOT NULL;
