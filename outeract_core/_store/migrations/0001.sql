-- The first schema. SQLite's dialect; the statements that run on it are written for PostgreSQL too.
--
-- Every node (event, person, puser, file) takes its key from one sequence per application:
-- key = (application << 40) + n. So a key tells its application, keys of one application are in
-- commit order, and a feed is a range of the primary key. Times are milliseconds since 1970 (UTC).

CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
-- owner > 0: the last node number of that application; owner < 0: the last batch of a writer,
-- by which a COMMIT with an unknown outcome is resolved.
CREATE TABLE counter(owner INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE kind(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE organisation(
  id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL) STRICT;
CREATE TABLE application(
  id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE,
  organisation INTEGER NOT NULL REFERENCES organisation(id), name TEXT NOT NULL,
  config TEXT NOT NULL, system_person INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL,
  UNIQUE(organisation, name)) STRICT;
CREATE TABLE connection(
  id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE, app INTEGER NOT NULL REFERENCES application(id),
  platform TEXT NOT NULL, name TEXT NOT NULL, account TEXT, config TEXT NOT NULL,
  status TEXT NOT NULL, system_puser INTEGER NOT NULL,
  webhook_id TEXT NOT NULL UNIQUE, webhook_secret TEXT NOT NULL, poll_cursor TEXT,
  created_at INTEGER NOT NULL, UNIQUE(app, platform, name)) STRICT;

CREATE TABLE event(
  seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, conn INTEGER, type INTEGER NOT NULL,
  occurred_at INTEGER NOT NULL, created_at INTEGER NOT NULL,
  dk ANY, payload TEXT NOT NULL, raw TEXT) STRICT;
CREATE UNIQUE INDEX event_dk ON event(conn, dk) WHERE dk IS NOT NULL;
CREATE TABLE edge(
  dst INTEGER NOT NULL, type INTEGER NOT NULL, src INTEGER NOT NULL,
  at INTEGER, -- NULL: created with its source
  PRIMARY KEY(dst, type, src)) STRICT, WITHOUT ROWID;
CREATE INDEX edge_src ON edge(src, type);
CREATE TABLE event_schema(
  app INTEGER NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, description TEXT,
  json_schema TEXT NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY(app, name, version)) STRICT, WITHOUT ROWID;

CREATE TABLE person(
  id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE, name TEXT, system INTEGER NOT NULL DEFAULT 0,
  merged_into INTEGER, created_at INTEGER NOT NULL) STRICT;
CREATE TABLE puser(
  id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE, person INTEGER NOT NULL, conn INTEGER NOT NULL,
  ext TEXT NOT NULL, address TEXT NOT NULL, kind TEXT NOT NULL, name TEXT, picture TEXT,
  created_at INTEGER NOT NULL, UNIQUE(conn, ext)) STRICT;
CREATE INDEX puser_person ON puser(person);
CREATE TABLE alias(
  conn INTEGER NOT NULL, value TEXT NOT NULL, type TEXT NOT NULL, puser INTEGER NOT NULL,
  PRIMARY KEY(conn, value, type)) STRICT, WITHOUT ROWID;
CREATE INDEX alias_puser ON alias(puser);
-- One row per change of parent: answers "whose was it then?".
CREATE TABLE moved(
  puser INTEGER NOT NULL, event INTEGER NOT NULL, at INTEGER NOT NULL,
  previous INTEGER NOT NULL, current INTEGER NOT NULL,
  PRIMARY KEY(puser, event)) STRICT, WITHOUT ROWID;

CREATE TABLE file(
  id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE, conn INTEGER, event INTEGER,
  filename TEXT, mime TEXT, size INTEGER, sha256 TEXT, status TEXT NOT NULL, handle TEXT,
  due INTEGER, attempt INTEGER NOT NULL DEFAULT 0, error TEXT, created_at INTEGER NOT NULL) STRICT;
CREATE INDEX file_due ON file(due) WHERE due IS NOT NULL;
CREATE INDEX file_sha256 ON file(sha256) WHERE sha256 IS NOT NULL;

-- The conversation projection: derived from events and edges, may be dropped and rebuilt.
CREATE TABLE entry(
  peer INTEGER NOT NULL, event INTEGER NOT NULL, PRIMARY KEY(peer, event)) STRICT, WITHOUT ROWID;
CREATE TABLE conversation(
  peer INTEGER PRIMARY KEY, last INTEGER NOT NULL, inbound INTEGER NOT NULL,
  outbound INTEGER NOT NULL, unread INTEGER NOT NULL, read_upto INTEGER NOT NULL,
  conn INTEGER NOT NULL) STRICT;
CREATE INDEX conversation_last ON conversation(conn, last);
CREATE TABLE participant(
  peer INTEGER NOT NULL, puser INTEGER NOT NULL, messages INTEGER NOT NULL,
  PRIMARY KEY(peer, puser)) STRICT, WITHOUT ROWID;
-- What statuses and receipts have come to: folded as they arrive, kept through an erasure.
CREATE TABLE delivery(
  event INTEGER PRIMARY KEY, status TEXT NOT NULL, parts INTEGER NOT NULL, sent_at INTEGER,
  delivered_at INTEGER, read_at INTEGER, failed_at INTEGER, reason TEXT) STRICT;
CREATE TABLE receipt(
  conn INTEGER NOT NULL, ext TEXT NOT NULL, event INTEGER NOT NULL, part INTEGER NOT NULL,
  status TEXT NOT NULL, PRIMARY KEY(conn, ext)) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_event ON receipt(event);
-- Edges that wait for a message whose external id is not known yet.
CREATE TABLE waiting(
  conn INTEGER NOT NULL, ext TEXT NOT NULL, src INTEGER NOT NULL, type INTEGER NOT NULL,
  PRIMARY KEY(conn, ext, src, type)) STRICT, WITHOUT ROWID;
CREATE INDEX waiting_src ON waiting(src, type);

-- Work.
CREATE TABLE outbox(
  id INTEGER PRIMARY KEY, conn INTEGER NOT NULL, lane INTEGER NOT NULL, verb TEXT NOT NULL,
  event INTEGER, parts TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, expires INTEGER, sandbox INTEGER NOT NULL,
  state TEXT NOT NULL, lease_until INTEGER, lease_owner TEXT, error TEXT,
  waits INTEGER NOT NULL -- 1: behind another row of its lane, so not looked at when work is sought
  ) STRICT;
CREATE INDEX outbox_due ON outbox(due) WHERE waits = 0;
CREATE INDEX outbox_lane ON outbox(lane, id);
CREATE TABLE send_key(
  app INTEGER NOT NULL, key TEXT NOT NULL, event INTEGER NOT NULL,
  PRIMARY KEY(app, key)) STRICT, WITHOUT ROWID;
CREATE TABLE cursor(
  app INTEGER NOT NULL, name TEXT NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY(app, name)) STRICT, WITHOUT ROWID;
CREATE TABLE handled(
  event INTEGER NOT NULL, handler TEXT NOT NULL,
  PRIMARY KEY(event, handler)) STRICT, WITHOUT ROWID;
CREATE TABLE retry(
  event INTEGER NOT NULL, handler TEXT NOT NULL, attempt INTEGER NOT NULL, due INTEGER NOT NULL,
  error TEXT NOT NULL, PRIMARY KEY(event, handler)) STRICT, WITHOUT ROWID;
CREATE TABLE processed(event INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
CREATE TABLE lease(
  app INTEGER NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY(app, name)) STRICT, WITHOUT ROWID;
CREATE TABLE raw_delivery(
  id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE, conn INTEGER NOT NULL, received_at INTEGER NOT NULL,
  method TEXT NOT NULL, headers TEXT NOT NULL, query TEXT NOT NULL, body BLOB NOT NULL,
  state TEXT NOT NULL, error TEXT, digest BLOB NOT NULL, UNIQUE(conn, digest)) STRICT;
CREATE INDEX raw_delivery_state ON raw_delivery(conn, state);

CREATE TABLE link_code(
  hash BLOB PRIMARY KEY, event INTEGER NOT NULL, puser INTEGER NOT NULL, expires INTEGER NOT NULL,
  uses INTEGER NOT NULL DEFAULT 0, max_uses INTEGER NOT NULL,
  confirms INTEGER, activator INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE link_attempt(
  puser INTEGER PRIMARY KEY, since INTEGER NOT NULL, attempts INTEGER NOT NULL) STRICT;

-- Immutability. The only way to remove content: an event that says so, a row in `erasure` that
-- names it, and an update that changes nothing but payload and raw, to the tombstone.
CREATE TABLE erasure(event INTEGER PRIMARY KEY, by INTEGER NOT NULL) STRICT;
CREATE TRIGGER erasure_needs_its_event BEFORE INSERT ON erasure
WHEN NOT EXISTS (SELECT 1 FROM event e JOIN kind k ON k.id = e.type
                 WHERE e.seq = NEW.by AND k.name = 'user.erased' AND NEW.by >> 40 = NEW.event >> 40)
BEGIN SELECT RAISE(ABORT, 'an erasure must name a user.erased event of the same application'); END;
CREATE TRIGGER erasure_no_update BEFORE UPDATE ON erasure
BEGIN SELECT RAISE(ABORT, 'erasures are immutable'); END;
CREATE TRIGGER erasure_no_delete BEFORE DELETE ON erasure
BEGIN SELECT RAISE(ABORT, 'erasures are immutable'); END;
CREATE TRIGGER event_no_update BEFORE UPDATE ON event
WHEN NOT (NEW.payload IS '{"erased":true}' AND NEW.raw IS NULL
          AND NEW.seq IS OLD.seq AND NEW.id IS OLD.id AND NEW.conn IS OLD.conn
          AND NEW.type IS OLD.type AND NEW.occurred_at IS OLD.occurred_at
          AND NEW.created_at IS OLD.created_at AND NEW.dk IS OLD.dk
          AND EXISTS (SELECT 1 FROM erasure WHERE event = OLD.seq))
BEGIN SELECT RAISE(ABORT, 'events are immutable'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are immutable'); END;
CREATE TRIGGER edge_no_update BEFORE UPDATE ON edge
BEGIN SELECT RAISE(ABORT, 'edges are immutable'); END;
CREATE TRIGGER edge_no_delete BEFORE DELETE ON edge
BEGIN SELECT RAISE(ABORT, 'edges are immutable'); END;
