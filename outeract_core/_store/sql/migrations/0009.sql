-- What was given up: an event that a handler is not going to be run at again by itself. `reason`:
-- `failed` (its attempts are used up) or `loop` (a chain of causes without a person in it).
CREATE TABLE parked(
  event INTEGER NOT NULL, handler TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(event, handler)) STRICT, WITHOUT ROWID;
-- The handler has seen the event, and wants it to stay unread on its platform.
ALTER TABLE handled ADD COLUMN unread INTEGER NOT NULL DEFAULT 0 CHECK(unread IN (0, 1));
