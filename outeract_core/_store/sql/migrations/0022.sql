-- What an erasure has decided, until it is done: events that go (`payload` empty), or what is left of them.
CREATE TABLE erasing(
  event INTEGER PRIMARY KEY, by INTEGER NOT NULL, payload TEXT, raw TEXT) STRICT;
-- Bytes that no file has any more, until they are out of the folder.
CREATE TABLE dropping(sha256 TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
