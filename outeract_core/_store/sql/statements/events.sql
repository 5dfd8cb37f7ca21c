-- The log: events, edges, and what a message leads to.

-- name: event_add
INSERT INTO event(seq, id, conn, type, occurred_at, created_at, dk, payload, raw)
VALUES (:seq, :id, :conn, :type, :occurred_at, :now, :dk, payload_in(:payload), raw_in(:raw))
ON CONFLICT (conn, dk) WHERE dk IS NOT NULL DO NOTHING;

-- name: event_new
INSERT INTO event(seq, id, conn, type, occurred_at, created_at, dk, payload, raw)
VALUES (:seq, :id, :conn, :type, :occurred_at, :now, :dk, payload_in(:payload), raw_in(:raw));

-- name: edge_add
INSERT INTO edge(dst, type, src, at) VALUES (:dst, :type, :src, :at)
ON CONFLICT (dst, type, src) DO NOTHING;

-- name: event_by_ext
SELECT seq, 0 FROM event WHERE conn = :conn AND dk = :ext
UNION ALL SELECT event, part FROM receipt WHERE conn = :conn AND ext = :ext LIMIT 1;

-- name: event_id_of
SELECT id FROM event WHERE seq = :seq;

-- name: event_key
SELECT seq FROM event WHERE id = :id AND seq >= :lo AND seq < :hi;

-- name: waiting_add
INSERT INTO waiting(conn, ext, src, type) VALUES (:conn, :ext, :src, :type)
ON CONFLICT (conn, ext, src, type) DO NOTHING;

-- name: waiting_for
SELECT src, type FROM waiting WHERE conn = :conn AND ext = :ext ORDER BY src;

-- name: waiting_exts
SELECT DISTINCT ext FROM waiting WHERE conn = :conn
  AND ext {in keys};

-- name: event_dks
SELECT e.dk FROM {each keys text} k {pin event e ON e.conn = :conn AND e.dk = k.value};

-- name: waiting_any
SELECT 1 FROM waiting WHERE conn = :conn LIMIT 1;

-- name: waiting_of
SELECT ext FROM waiting WHERE src = :src AND type = :type LIMIT 1;

-- name: waiting_drop
DELETE FROM waiting WHERE conn = :conn AND ext = :ext;

-- name: edge_target
SELECT dst FROM edge WHERE src = :src AND type = :type ORDER BY dst LIMIT 1;

-- name: edge_newest_source
SELECT src FROM edge WHERE dst = :dst AND type = :type ORDER BY src DESC LIMIT 1;

-- name: edge_sources
SELECT src FROM edge WHERE dst = :dst AND type = :type ORDER BY src;

-- name: schema_newest
SELECT version, json_schema, description, created_at FROM event_schema
WHERE app = :app AND name = :name ORDER BY version DESC LIMIT 1;

-- name: schema_add
INSERT INTO event_schema(app, name, version, description, json_schema, created_at)
VALUES (:app, :name, :version, :description, :json_schema, :now);

-- name: event_facts
SELECT type, occurred_at, payload_out(payload) FROM event WHERE seq = :seq;

-- name: all_kinds
SELECT id, name FROM kind;

-- name: connections_of_app
SELECT id, uid, platform, name FROM connection WHERE app = :app;
