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

-- Retention: rules, and how far each has come. `keep` in milliseconds; `conn` 0: every connection.
CREATE TABLE retention(
  id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE, app INTEGER NOT NULL, pattern TEXT NOT NULL,
  conn INTEGER NOT NULL, raw_only INTEGER NOT NULL CHECK(raw_only IN (0, 1)), keep INTEGER NOT NULL,
  position INTEGER NOT NULL, created_at INTEGER NOT NULL, UNIQUE(app, pattern, conn, raw_only)) STRICT;
-- Messages that a rule has passed by because they were still to be sent.
CREATE TABLE passed_by(
  rule INTEGER NOT NULL, event INTEGER NOT NULL, PRIMARY KEY(rule, event)) STRICT, WITHOUT ROWID;

-- Full-text search: what can be found, as said in which conversation and by whom. The index is made
-- when somebody first searches; it keeps no copy of the texts. `place` and `sender` are platform
-- users, in the index as words of three letters, so that it knows the words of one conversation too.
-- A row follows from what was committed together with its event, and so never changes: an entry of
-- the index can only be taken out with exactly what was put in.
CREATE VIEW search_text(event, type, conn, text) AS
SELECT e.seq, e.type, e.conn,
  concat_ws(char(10), e.payload ->> '$.message.header', e.payload ->> '$.message.text',
    e.payload ->> '$.message.footer', e.payload ->> '$.message.location.name',
    e.payload ->> '$.message.location.address',
    CASE e.type WHEN (SELECT id FROM kind WHERE name = 'message.transcribed') THEN e.payload ->> '$.text' END)
FROM event e WHERE e.type IN (SELECT id FROM kind WHERE name IN
  ('message.inbound', 'message.outbound', 'message.edited', 'message.transcribed'));
CREATE VIEW search_party(event, text, place, sender) AS
SELECT e.event, e.text,
  CASE WHEN t.dst <> c.system_puser THEN t.dst WHEN f.dst <> c.system_puser THEN f.dst
       WHEN u.dst <> c.system_puser THEN u.dst WHEN g.dst <> c.system_puser THEN g.dst END,
  coalesce(f.dst, g.dst)
FROM search_text e LEFT JOIN connection c ON c.id = e.conn
LEFT JOIN edge f ON f.src = e.event AND f.type = (SELECT id FROM kind WHERE name = 'sent_by')
LEFT JOIN edge t ON t.src = e.event AND t.type = (SELECT id FROM kind WHERE name = 'sent_to')
-- An edit or a transcript stands where its message stands, if that was known when it came.
LEFT JOIN edge o ON o.src = e.event AND o.type = (SELECT id FROM kind WHERE name = 'origin') AND o.at IS NULL
LEFT JOIN edge g ON g.src = o.dst AND g.type = (SELECT id FROM kind WHERE name = 'sent_by')
LEFT JOIN edge u ON u.src = o.dst AND u.type = (SELECT id FROM kind WHERE name = 'sent_to');
CREATE VIEW search_source(event, text, place, sender) AS
SELECT event, text,
  char(19968 + (place >> 28 & 4095), 19968 + (place >> 14 & 16383), 19968 + (place & 16383)),
  char(19968 + (sender >> 28 & 4095), 19968 + (sender >> 14 & 16383), 19968 + (sender & 16383))
FROM search_party WHERE text <> '';
-- How far the index has come: up to `upto`, in stretches with the times of what happened in them.
CREATE TABLE search_span(
  app INTEGER NOT NULL, upto INTEGER NOT NULL, events INTEGER NOT NULL,
  oldest INTEGER, newest INTEGER, PRIMARY KEY(app, upto)) STRICT, WITHOUT ROWID;

-- An application that is being imported and is not whole yet: from which file (its SHA-256), how far
-- (lines and bytes of it), and the number behind which its connections are numbered.
CREATE TABLE importing(
  app INTEGER PRIMARY KEY REFERENCES application(id), source TEXT NOT NULL, line INTEGER NOT NULL,
  position INTEGER NOT NULL, conns INTEGER NOT NULL) STRICT;

-- Immutability. The only way to remove content: an event that says so, a later one of the same
-- application; a row in `erasure` that names it; and an update that changes nothing but payload and
-- raw, to the tombstone, or (raw_only) nothing but raw, to nothing.
CREATE TABLE erasure(
  event INTEGER NOT NULL, raw_only INTEGER NOT NULL CHECK(raw_only IN (0, 1)), by INTEGER NOT NULL,
  PRIMARY KEY(event, raw_only)) STRICT, WITHOUT ROWID;
CREATE TRIGGER erasure_needs_its_event BEFORE INSERT ON erasure
WHEN NOT EXISTS (SELECT 1 FROM event e JOIN kind k ON k.id = e.type
                 WHERE e.seq = NEW.by AND NEW.by > NEW.event AND NEW.by >> 40 = NEW.event >> 40
                 AND (k.name = 'system.retention_applied' OR k.name = 'user.erased' AND NEW.raw_only = 0))
BEGIN SELECT RAISE(ABORT, 'an erasure must name a later user.erased or system.retention_applied event of the same application'); END;
CREATE TRIGGER erasure_spares_its_kind BEFORE INSERT ON erasure
WHEN EXISTS (SELECT 1 FROM event e JOIN kind k ON k.id = e.type
             WHERE e.seq = NEW.event AND k.name IN ('user.erased', 'system.retention_applied'))
BEGIN SELECT RAISE(ABORT, 'what was erased by what stays readable: such events are immutable'); END;
CREATE TRIGGER erasure_no_update BEFORE UPDATE ON erasure
BEGIN SELECT RAISE(ABORT, 'erasures are immutable'); END;
CREATE TRIGGER erasure_no_delete BEFORE DELETE ON erasure
BEGIN SELECT RAISE(ABORT, 'erasures are immutable'); END;
CREATE TRIGGER event_no_update BEFORE UPDATE ON event
WHEN NOT (NEW.seq IS OLD.seq AND NEW.id IS OLD.id AND NEW.conn IS OLD.conn
          AND NEW.type IS OLD.type AND NEW.occurred_at IS OLD.occurred_at
          AND NEW.created_at IS OLD.created_at AND NEW.dk IS OLD.dk AND NEW.raw IS NULL
          AND (NEW.payload IS '{"erased":true}'
               AND EXISTS (SELECT 1 FROM erasure WHERE event = OLD.seq AND raw_only = 0)
            OR NEW.payload IS OLD.payload AND OLD.raw IS NOT NULL
               AND EXISTS (SELECT 1 FROM erasure WHERE event = OLD.seq AND raw_only = 1)))
BEGIN SELECT RAISE(ABORT, 'events are immutable'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are immutable'); END;
CREATE TRIGGER edge_no_update BEFORE UPDATE ON edge
BEGIN SELECT RAISE(ABORT, 'edges are immutable'); END;
CREATE TRIGGER edge_no_delete BEFORE DELETE ON edge
BEGIN SELECT RAISE(ABORT, 'edges are immutable'); END;
