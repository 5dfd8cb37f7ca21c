-- Of whom a platform is asked what it shows of them: whoever has a conversation or takes part in one,
-- so whoever has written or was written to. `due` 0: never asked yet; NULL: never to be asked again
-- (they were erased). `fetched_at`: when the platform has told last; `picture`: the file of their
-- picture, `version`: which one that is.
CREATE TABLE profile(
  puser INTEGER PRIMARY KEY, conn INTEGER NOT NULL, kind TEXT NOT NULL, due INTEGER,
  fetched_at INTEGER, attempt INTEGER NOT NULL DEFAULT 0, error TEXT, picture INTEGER, version TEXT,
  lease_until INTEGER, lease_owner TEXT, lease_token INTEGER) STRICT;
CREATE INDEX profile_due ON profile(conn, kind, due) WHERE due IS NOT NULL;
CREATE INDEX profile_lease ON profile(lease_owner) WHERE lease_owner IS NOT NULL;
-- What a connection may not ask of a kind of platform users (a scope is missing), and until when it
-- is not tried again.
CREATE TABLE profile_pause(
  conn INTEGER NOT NULL, kind TEXT NOT NULL, until INTEGER NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY(conn, kind)) STRICT, WITHOUT ROWID;
CREATE TRIGGER profile_of_conversation AFTER INSERT ON conversation
BEGIN
  INSERT INTO profile(puser, conn, kind, due)
  SELECT p.id, p.conn, p.kind, 0 FROM puser p WHERE p.id = NEW.peer AND p.ext NOT LIKE 'erased:%'
  ON CONFLICT (puser) DO NOTHING;
END;
CREATE TRIGGER profile_of_participant AFTER INSERT ON participant
BEGIN
  INSERT INTO profile(puser, conn, kind, due)
  SELECT p.id, p.conn, p.kind, 0 FROM puser p WHERE p.id = NEW.puser AND p.ext NOT LIKE 'erased:%'
  ON CONFLICT (puser) DO NOTHING;
END;
INSERT INTO profile(puser, conn, kind, due)
SELECT p.id, p.conn, p.kind, CASE WHEN p.ext LIKE 'erased:%' THEN NULL ELSE 0 END FROM puser p
WHERE p.id IN (SELECT peer FROM conversation UNION SELECT puser FROM participant);
