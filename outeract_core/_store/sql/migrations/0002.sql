-- What was tried: every attempt at an event that did not succeed, kept when it has succeeded since.
-- `kind`: `send`, or `handle`; `name`: the verb, or the handler; `number`: which attempt it was. What
-- fails in the same way again is counted (`times`, from `at` to `last`) instead of written again.
CREATE TABLE attempt(
  event INTEGER NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL CHECK(kind IN ('send', 'handle')),
  name TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, last INTEGER NOT NULL,
  times INTEGER NOT NULL, error TEXT NOT NULL, PRIMARY KEY(event, n)) STRICT, WITHOUT ROWID;
