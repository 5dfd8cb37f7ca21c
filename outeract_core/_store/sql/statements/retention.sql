-- Rules of retention: what is old enough, what must stay a while longer.

-- name: retention_add
INSERT INTO retention(uid, app, pattern, conn, raw_only, keep, position, created_at)
VALUES (:uid, :app, :pattern, :conn, :raw_only, :keep, 0, :now)
ON CONFLICT (app, pattern, conn, raw_only) DO UPDATE SET keep = excluded.keep;

-- name: retention_rules
SELECT r.id, r.uid, r.pattern, r.keep, r.conn, c.uid, r.raw_only, r.position, r.created_at
FROM retention r LEFT JOIN connection c ON c.id = r.conn WHERE r.app = :app ORDER BY r.id;

-- name: retention_position
UPDATE retention SET position = :position WHERE id = :id;

-- name: retention_drop
DELETE FROM retention WHERE id = :id;

-- name: passed_by_add
INSERT INTO passed_by(rule, event) SELECT :rule, j.value FROM {each events} j
WHERE true ON CONFLICT (rule, event) DO NOTHING;

-- name: passed_by_done
DELETE FROM passed_by WHERE rule = :rule AND event {in events};

-- name: passed_by_drop
DELETE FROM passed_by WHERE rule = :rule;

-- name: passed_by_count
SELECT count(*) FROM passed_by WHERE rule = :rule;

-- name: passed_by_free
SELECT p.event FROM passed_by p {pin event e ON e.seq = p.event}
WHERE p.rule = :rule AND e.created_at < :before AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.id = p.event)
ORDER BY p.event LIMIT :limit;

-- name: newest_event
SELECT seq FROM event WHERE seq >= :lo AND seq < :hi ORDER BY seq DESC LIMIT 1;

-- name: first_young
SELECT seq FROM event WHERE seq > :after AND seq <= :upto AND created_at >= :before ORDER BY seq LIMIT 1;

-- name: first_unhandled
SELECT e.seq FROM event e WHERE e.seq > :after AND e.seq <= :upto
  AND e.type {in kinds}
  AND NOT EXISTS (SELECT 1 FROM handled h WHERE h.event = e.seq AND h.handler = :handler)
ORDER BY e.seq LIMIT 1;

-- name: old_content
SELECT e.seq FROM event e WHERE e.seq > :after AND e.seq <= :upto
  AND e.type {in kinds} AND (:conn = 0 OR e.conn = :conn)
  AND payload_out(e.payload) <> '{"erased":true}' ORDER BY e.seq LIMIT :limit;

-- name: old_content_count
SELECT count(*) FROM event e WHERE e.seq > :after AND e.seq <= :upto AND e.created_at < :before
  AND e.type {in kinds} AND (:conn = 0 OR e.conn = :conn)
  AND payload_out(e.payload) <> '{"erased":true}';

-- name: old_raw
SELECT e.seq FROM event e WHERE e.seq > :after AND e.seq <= :upto
  AND e.type {in kinds} AND (:conn = 0 OR e.conn = :conn)
  AND e.raw IS NOT NULL ORDER BY e.seq LIMIT :limit;

-- name: unsent_of
SELECT o.id FROM {each events} j {pin outbox o ON o.id = j.value};

-- name: notes_of_file
SELECT g.src FROM edge g {pin event e ON e.seq = g.src}
WHERE g.dst = :file AND g.type = :attachment AND g.src <= :upto AND payload_out(e.payload) <> '{"erased":true}'
  AND e.type {in notes};

-- name: old_deliveries
SELECT d.id FROM connection c {pin raw_delivery d ON d.conn = c.id AND d.state IN ('unparsed', 'held')}
WHERE c.app = :app AND (:conn = 0 OR c.id = :conn) AND d.received_at < :before ORDER BY d.id LIMIT :limit;

-- name: deliveries_erase
UPDATE raw_delivery SET body = {empty}, headers = '{}', query = '{}', error = NULL, state = 'erased'
WHERE id {in numbers};
