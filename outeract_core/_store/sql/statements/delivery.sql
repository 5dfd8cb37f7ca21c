-- Outbox, receipts, the fold of statuses.

-- name: delivery_add
INSERT INTO delivery(event, status, parts) VALUES (:event, 'queued', :parts);

-- name: delivery_row
SELECT status, parts, sent_at, delivered_at, read_at, failed_at, reason FROM delivery WHERE event = :event;

-- name: delivery_set
UPDATE delivery SET status = :status, sent_at = :sent_at, delivered_at = :delivered_at,
  read_at = :read_at, failed_at = :failed_at, reason = :reason WHERE event = :event;

-- name: delivery_sent
UPDATE delivery SET status = 'sent', sent_at = :at
WHERE event {in keys} AND status = 'queued' AND parts = 1 AND sent_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.event = delivery.event AND r.status <> 'sent')
RETURNING event;

-- name: receipt_add
INSERT INTO receipt(conn, ext, event, part, status) VALUES (:conn, :ext, :event, :part, :status)
ON CONFLICT (conn, ext) DO NOTHING RETURNING conn, ext, event;

-- name: receipt_status
UPDATE receipt SET status = :status WHERE conn = :conn AND ext = :ext;

-- name: receipt_by_ext
SELECT event, part, status FROM receipt WHERE conn = :conn AND ext = :ext;

-- name: receipts_of
SELECT ext, part, status FROM receipt WHERE event = :event ORDER BY part, ext;

-- name: part_add
INSERT INTO part(event, part, status, at) VALUES (:event, :part, :status, :at)
ON CONFLICT (event, part) DO UPDATE SET status = excluded.status, at = excluded.at;

-- name: parts_of
SELECT part, status FROM receipt WHERE event = :event UNION ALL SELECT part, status FROM part WHERE event = :event;

-- name: unread_outbound
SELECT r.ext, r.event FROM entry n JOIN delivery d ON d.event = n.event JOIN receipt r ON r.event = n.event
WHERE n.peer = :peer AND d.sent_at <= :upto AND r.status IN ('queued', 'sent', :also)
ORDER BY n.event DESC LIMIT 1000;

-- name: outbox_add
INSERT INTO outbox(id, conn, lane, verb, event, parts, due, expires, sandbox, state, waits)
VALUES (:id, :conn, :lane, :verb, :event, payload_in(:parts), :due, :expires, :sandbox, 'queued',
  CASE WHEN EXISTS (SELECT 1 FROM outbox p WHERE p.lane = :lane
    AND (p.waits = 1 OR p.attempt > 0 OR p.due <= :now OR p.lease_until > :now)) THEN 1 ELSE 0 END);

-- name: outbox_put
INSERT INTO outbox(id, conn, lane, verb, event, parts, due, expires, sandbox, state, waits)
VALUES (:id, :conn, :lane, :verb, :event, payload_in(:parts), :due, :expires, :sandbox, 'queued', :waits);

-- name: outbox_taken
SELECT j.value FROM {each keys} j
WHERE EXISTS (SELECT 1 FROM outbox p WHERE p.lane = j.value
  AND (p.waits = 1 OR p.attempt > 0 OR p.due <= :now OR p.lease_until > :now));

-- name: outbox_sending_on
SELECT id FROM outbox WHERE conn = :conn AND state IN ('sending', 'unknown') LIMIT 1;

-- name: send_key_get
SELECT event FROM send_key WHERE app = :app AND key = :key;

-- name: send_key_add
INSERT INTO send_key(app, key, event) VALUES (:app, :key, :event);

-- name: held_add
INSERT INTO raw_delivery(uid, conn, received_at, method, headers, query, body, state, error, digest)
VALUES (:uid, :conn, :received_at, :method, raw_in(:headers), raw_in(:query), raw_in(:body), :state, raw_in(:error), :digest)
ON CONFLICT (conn, digest) DO UPDATE SET state = excluded.state, error = excluded.error
WHERE raw_delivery.state NOT IN (excluded.state, 'erased');

-- name: held_list
SELECT id, uid, conn, received_at, method, raw_out(headers), raw_out(query), raw_out(body), state, raw_out(error) FROM raw_delivery
WHERE state = :state AND conn = :conn AND id > :after ORDER BY id LIMIT :limit;

-- name: held_state
UPDATE raw_delivery SET state = :state, error = raw_in(:error) WHERE id = :id;

-- name: held_drop
DELETE FROM raw_delivery WHERE id = :id;
