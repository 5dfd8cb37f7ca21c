-- Handled, and left unread on its platform: the automatic read mark stops before it.
ALTER TABLE processed ADD COLUMN unread INTEGER NOT NULL DEFAULT 0 CHECK(unread IN (0, 1));
