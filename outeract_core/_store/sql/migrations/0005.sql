-- What nobody in the file owns leaves a hash and a reason, outside every application; and which
-- connection holds an account, by a keyed hash of what identifies it: an account has one connection.
CREATE TABLE foreign_delivery(
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, platform TEXT NOT NULL, reason TEXT NOT NULL,
  since INTEGER NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;
CREATE TABLE account_holder(
  digest BLOB PRIMARY KEY, conn INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX account_holder_conn ON account_holder(conn);
