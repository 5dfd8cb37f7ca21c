-- Rows as the model's objects need them.

-- name: events_by_key
SELECT e.seq, e.id, e.conn, e.type, e.occurred_at, e.created_at, payload_out(e.payload), raw_out(e.raw),
  d.status, d.sent_at, d.delivered_at, d.read_at, d.failed_at, d.reason, p.at,
  CASE WHEN e.type IN (:inbound, :outbound) THEN NULL ELSE (
    SELECT o.id FROM edge g JOIN event o ON o.seq = g.dst WHERE g.src = e.seq AND g.type = :origin
    LIMIT 1) END,
  CASE WHEN p.at IS NULL AND d.status IS NULL THEN (SELECT max(k.at) FROM parked k WHERE k.event = e.seq) END
FROM {each keys} j {pin event e ON e.seq = j.value}
LEFT JOIN delivery d ON d.event = e.seq LEFT JOIN processed p ON p.event = e.seq
WHERE e.seq >= :lo AND e.seq < :hi;

-- name: application_uid
SELECT uid FROM application WHERE id = :app;

-- name: connection_uids
SELECT id, uid, platform FROM connection WHERE app = :app;

-- name: pusers_by_key
SELECT p.id, p.uid, q.uid, p.conn, p.ext, p.kind, name_out(p.name), name_out(p.picture), p.created_at,
  l.type, l.value -- a row for each alias, or one
FROM {each keys} j {pin puser p ON p.id = j.value} JOIN person q ON q.id = p.person
LEFT JOIN alias l ON l.puser = p.id WHERE p.id >= :lo AND p.id < :hi;

-- name: aliases_by_key
SELECT l.puser, l.type, l.value FROM {each keys} j {pin alias l ON l.puser = j.value};

-- name: persons_by_key
SELECT p.id, p.uid, a.uid, name_out(p.name), p.system, m.uid, p.created_at
FROM {each keys} j {pin person p ON p.id = j.value} JOIN application a ON a.id = :app
LEFT JOIN person m ON m.id = p.merged_into WHERE p.id >= :lo AND p.id < :hi;

-- name: files_by_key
SELECT f.id, f.uid, a.uid, name_out(f.filename), f.mime, f.size, f.sha256, f.status, f.created_at
FROM {each keys} j {pin file f ON f.id = j.value} JOIN application a ON a.id = :app
WHERE f.id >= :lo AND f.id < :hi;
