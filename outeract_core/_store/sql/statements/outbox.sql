-- Claiming, sending and settling outbox rows.
-- A part may have several names. What names a message in its place (`1001:42`, `<ts>:<channel>`) goes
-- before what only names something in it (a file); among those the shorter number is the lower one.

-- name: outbox_heads
SELECT o.due, o.id, o.lane, o.conn FROM {each keys} c {pin outbox o ON o.id IN (
  SELECT i.id FROM outbox i
  WHERE i.conn = c.value AND i.waits = 0 AND i.due <= :now AND (i.lease_until IS NULL OR i.lease_until <= :now)
    AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.lane = i.lane AND p.id < i.id
                    AND (p.attempt > 0 OR p.due <= :now OR p.lease_until > :now))
  ORDER BY i.due, i.id LIMIT :each)};

-- name: outbox_ahead
UPDATE outbox SET due = :now WHERE waits = 0 AND attempt > 0 AND due > :latest;

-- name: outbox_is_ahead
SELECT 1 FROM outbox WHERE waits = 0 AND attempt > 0 AND due > :latest LIMIT 1;

-- name: outbox_is_untimed
SELECT 1 FROM (
  SELECT event, due FROM outbox WHERE waits = 0 AND attempt = 0 AND due > :now ORDER BY due LIMIT :most) o
WHERE o.event IS NULL OR o.due <= (SELECT e.created_at FROM event e WHERE e.seq = o.event) LIMIT 1;

-- name: outbox_untimed
UPDATE outbox SET due = :now WHERE attempt = 0 AND due > :now
  AND (event IS NULL OR due <= (SELECT e.created_at FROM event e WHERE e.seq = outbox.event));

-- name: outbox_lane_due
SELECT o.id, o.conn, o.lane, o.verb, o.event, payload_out(o.parts), o.expires, o.sandbox, o.attempt, o.due, o.lease_until
FROM {each keys} h {pin outbox f ON f.id = h.value} {pin outbox o ON o.id IN (
  SELECT i.id FROM outbox i WHERE i.lane = f.lane AND i.id >= f.id ORDER BY i.id LIMIT :limit)};

-- name: outbox_lease
UPDATE outbox SET lease_until = :until, lease_owner = :owner, lease_token = :token
WHERE id {in keys} AND due <= :now AND (lease_until IS NULL OR lease_until <= :now)
RETURNING id, done, attempt, state, arrives, looks;

-- name: outbox_renew
UPDATE outbox SET lease_until = CASE WHEN lease_until > :until THEN lease_until ELSE :until END
WHERE id {in keys} AND lease_owner = :owner RETURNING id;

-- name: outbox_begin
UPDATE outbox SET state = 'sending', attempt = attempt + 1, looks = 0, lease_until = :until, arrives = :arrives
WHERE id {in keys} AND lease_token = :token RETURNING id;

-- name: outbox_cover
UPDATE outbox SET lease_until = CASE WHEN lease_until > :until THEN lease_until ELSE :until END, arrives = :arrives
WHERE id = :id AND lease_token = :token;

-- name: outbox_part_done
UPDATE outbox SET done = :done, state = 'queued', attempt = 1, looks = 0, arrives = NULL
WHERE id = :id AND lease_token = :token;

-- name: outbox_settled
DELETE FROM outbox WHERE id {in keys} AND lease_token = :token RETURNING id;

-- name: outbox_taken_back
DELETE FROM outbox WHERE id = :event AND event = :event AND state = 'queued' AND done = 0 RETURNING lane;

-- name: outbox_drop
DELETE FROM outbox WHERE id = :id;

-- name: outbox_promote
UPDATE outbox SET waits = 0
WHERE id IN (SELECT (SELECT i.id FROM outbox i WHERE i.lane = j.value AND i.waits = 1 ORDER BY i.id LIMIT 1)
             FROM {each keys} j) RETURNING id;

-- name: outbox_retry
UPDATE outbox SET state = :state, due = :due, error = raw_in(:error), looks = 0,
  arrives = CASE :state WHEN 'sending' THEN arrives END,
  lease_until = NULL, lease_owner = NULL, lease_token = NULL,
  attempt = CASE WHEN attempt > :uncounted THEN attempt - :uncounted ELSE 1 END WHERE id = :id AND lease_token = :token;

-- name: outbox_postpone
UPDATE outbox SET due = :due, error = raw_in(:error), looks = :looks,
  lease_until = NULL, lease_owner = NULL, lease_token = NULL,
  attempt = CASE WHEN attempt = 0 THEN 1 ELSE attempt END WHERE id = :id AND lease_token = :token;

-- name: outbox_proven
UPDATE outbox SET due = :now
WHERE id = :event AND event = :event AND state = 'sending' AND done = :part AND lease_until IS NULL;

-- name: outbox_release
UPDATE outbox SET lease_until = NULL, lease_owner = NULL, lease_token = NULL
WHERE id {in keys} AND lease_token = :token RETURNING id;

-- name: outbox_release_all
UPDATE outbox SET lease_until = NULL, lease_owner = NULL, lease_token = NULL WHERE lease_owner = :owner;

-- name: outbox_owners
WITH RECURSIVE sender(name) AS (
  SELECT min(lease_owner) FROM outbox WHERE lease_owner IS NOT NULL
  UNION ALL SELECT (SELECT min(o.lease_owner) FROM outbox o WHERE o.lease_owner > s.name) FROM sender s WHERE s.name IS NOT NULL
), fetcher(name) AS (
  SELECT min(lease_owner) FROM file WHERE lease_owner IS NOT NULL
  UNION ALL SELECT (SELECT min(f.lease_owner) FROM file f WHERE f.lease_owner > s.name) FROM fetcher s WHERE s.name IS NOT NULL
)
SELECT name FROM sender WHERE name IS NOT NULL
UNION SELECT name FROM fetcher WHERE name IS NOT NULL UNION SELECT owner FROM lease;

-- name: outbox_next
SELECT min(due) FROM outbox WHERE waits = 0 AND (lease_until IS NULL OR lease_until <= :now);

-- name: outbox_next_later
SELECT min(due) FROM outbox WHERE waits = 0 AND due > :now;

-- name: outbox_depths
SELECT conn, state, count(*), min(due) FROM outbox GROUP BY conn, state ORDER BY conn, state;

-- name: external_id_of
SELECT dk FROM event WHERE seq = :seq AND {is_text dk}
UNION ALL SELECT ext FROM (SELECT ext FROM receipt WHERE event = :seq ORDER BY part, ext NOT LIKE '%:%', length(ext), ext LIMIT 1) r LIMIT 1;

-- name: external_ids_of
SELECT part, ext FROM receipt WHERE event = :seq ORDER BY part, ext NOT LIKE '%:%', length(ext), ext;

-- name: recipients
SELECT p.id, p.ext, p.address, p.kind FROM {each keys} j {pin puser p ON p.id = j.value};

-- name: event_ids
SELECT e.seq, e.id FROM {each keys} j {pin event e ON e.seq = j.value};

-- name: references_of
SELECT g.dst, g.src, g.type, coalesce(CASE g.type WHEN :in_thread THEN payload_out(e.payload) ->> '$.thread' END, (
  SELECT dk FROM event WHERE seq = g.dst AND {is_text dk}
  UNION ALL SELECT ext FROM (SELECT ext FROM receipt WHERE event = g.dst ORDER BY part, ext NOT LIKE '%:%', length(ext), ext LIMIT 1) r LIMIT 1))
FROM {each keys} j {pin event e ON e.seq = j.value}
{pin edge g ON g.src = e.seq AND g.type IN (:reply_to, :in_thread, :triggered_by)}
WHERE g.type <> :triggered_by OR (SELECT conn FROM event WHERE seq = g.dst) = e.conn;

-- name: awaited_references
SELECT w.src, w.type, w.ext FROM {each keys} j {pin waiting w ON w.src = j.value}
WHERE w.type IN (:reply_to, :in_thread, :triggered_by);

-- name: receipt_parts
SELECT r.event, r.part FROM {each keys} j {pin receipt r ON r.event = j.value};

-- name: held_on
SELECT 1 FROM raw_delivery WHERE conn = :conn AND state = 'held' LIMIT 1;

-- name: event_conn
SELECT conn, type, payload_out(payload) FROM event WHERE seq = :seq;

-- name: last_inbound
SELECT n.event FROM entry n JOIN event e ON e.seq = n.event
WHERE n.peer = :peer AND e.type = :inbound ORDER BY n.event DESC LIMIT 1;

-- name: last_done
SELECT g.src FROM edge g {pin event e ON e.seq = g.src}
WHERE g.dst = :peer AND g.type = :sent_by AND g.src > :since AND e.type IN (:action, :edited, :reacted)
  AND NOT EXISTS (SELECT 1 FROM edge t WHERE t.src = g.src AND t.type = :sent_to)
ORDER BY g.src DESC LIMIT 1;

-- name: file_of_part
SELECT name_out(filename), mime, size, sha256 FROM file WHERE id = :id;

-- name: newest_peer
SELECT c.peer, c.last FROM conversation c JOIN puser p ON p.id = c.peer
WHERE p.person = :person ORDER BY c.last DESC LIMIT 1;

-- name: peer_facts
SELECT p.id, p.conn, p.kind, p.person FROM puser p WHERE p.id = :id;

-- name: depth_files
SELECT count(*) FROM file WHERE due IS NOT NULL;

-- name: depth_unparsed
SELECT state, count(*) FROM raw_delivery WHERE state IN ('unparsed', 'held') GROUP BY state;

-- name: outbox_left
SELECT e.created_at, (
  SELECT t.dst FROM edge o JOIN edge t ON t.src = o.dst AND t.type = :sent_to
  WHERE o.src = e.seq AND o.type = :origin LIMIT 1)
FROM (SELECT seq, conn, type, created_at FROM event WHERE seq >= :first AND seq < :end ORDER BY seq DESC LIMIT :most) e
WHERE e.conn = :conn AND e.created_at >= :since AND e.type IN (:sent, :failed, :unknown);

-- name: outbox_leaving
SELECT o.arrives, o.lane FROM (
  SELECT arrives, lane, state FROM outbox WHERE conn = :conn AND waits = 0 AND due <= :now ORDER BY due LIMIT :most) o
WHERE o.state = 'sending' AND o.arrives IS NOT NULL;
