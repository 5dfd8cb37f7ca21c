-- The durable cursor of handlers, retries, leases.

-- name: cursor_get
SELECT position FROM cursor WHERE app = :app AND name = :name;

-- name: cursor_set
INSERT INTO cursor(app, name, position) VALUES (:app, :name, :position)
ON CONFLICT (app, name) DO UPDATE SET position = excluded.position WHERE cursor.position < excluded.position;

-- name: cursor_back
UPDATE cursor SET position = :position WHERE app = :app AND name = :name;

-- name: enrolled_all
SELECT handler, position, joined FROM enrolled WHERE app = :app;

-- name: enrolled_told
SELECT handler, left_behind, older, at FROM enrolled WHERE app = :app AND handler <> '' ORDER BY at, handler;

-- name: enrol
INSERT INTO enrolled(app, handler, position, joined, left_behind, older, at)
VALUES (:app, :handler, :position, :joined, :left_behind, :older, :now) ON CONFLICT (app, handler) DO NOTHING;

-- name: enrolled_lift
UPDATE enrolled SET position = CASE WHEN position < :position THEN :position ELSE position END WHERE app = :app AND joined = 1;

-- name: enrolled_join
UPDATE enrolled SET joined = 1 WHERE app = :app AND handler = :handler;

-- name: enrolled_open
DELETE FROM enrolled WHERE app = :app AND handler = '';

-- name: stored_next
SELECT seq, created_at FROM event WHERE seq > :after AND seq <= :upto ORDER BY seq LIMIT 1;

-- name: newest_before
SELECT seq, type, created_at FROM event WHERE seq >= :lo AND seq <= :upto ORDER BY seq DESC LIMIT :limit;

-- name: feed
SELECT seq, type, created_at FROM event WHERE seq > :after AND seq < :hi ORDER BY seq LIMIT :limit;

-- name: handled_add
INSERT INTO handled(event, handler, unread) VALUES (:event, :handler, :unread)
ON CONFLICT (event, handler) DO NOTHING;

-- name: handled_drop
DELETE FROM handled WHERE event >= :lo AND event <= :upto;

-- name: handled_list
SELECT event, handler FROM handled WHERE event > :after AND event < :hi;

-- name: retry_set
INSERT INTO retry(event, handler, attempt, due, error, failure)
VALUES (:event, :handler, :attempt, :due, raw_in(:error), :failure) ON CONFLICT (event, handler) DO UPDATE
SET attempt = excluded.attempt, due = excluded.due, error = excluded.error, failure = excluded.failure;

-- name: retry_drop
DELETE FROM retry WHERE event = :event AND handler = :handler;

-- name: retry_list
SELECT event, handler, attempt, due FROM retry WHERE event >= :lo AND event < :hi;

-- name: processed_add
INSERT INTO processed(event, at, unread) SELECT :event, :now, :unread
WHERE NOT EXISTS (SELECT 1 FROM parked k WHERE k.event = :event)
ON CONFLICT (event) DO NOTHING;

-- name: processed_alone
INSERT INTO processed(event, at, unread)
SELECT :event, :now, max(h.unread) FROM handled h WHERE h.event = :event
HAVING count(*) = 1 AND NOT EXISTS (SELECT 1 FROM parked k WHERE k.event = :event)
ON CONFLICT (event) DO NOTHING;

-- name: processed_alone_of_many
INSERT INTO processed(event, at, unread)
SELECT h.event, :now, max(h.unread) FROM {each keys} j {pin handled h ON h.event = j.value}
WHERE NOT EXISTS (SELECT 1 FROM parked k WHERE k.event = h.event)
GROUP BY h.event HAVING count(*) = 1
ON CONFLICT (event) DO NOTHING
RETURNING event;

-- name: kept_unread
SELECT n.event FROM conversation c JOIN entry n ON n.peer = c.peer AND n.event > c.read_upto AND n.event <> :event
WHERE c.peer = :peer
  AND (EXISTS (SELECT 1 FROM parked k WHERE k.event = n.event)
    OR EXISTS (SELECT 1 FROM retry r WHERE r.event = n.event)
    OR EXISTS (SELECT 1 FROM processed p WHERE p.event = n.event AND p.unread = 1))
ORDER BY n.event LIMIT 1;

-- name: last_processed
SELECT n.event FROM entry n WHERE n.peer = :peer AND n.event >= :event AND n.event < :before
  AND EXISTS (SELECT 1 FROM processed p WHERE p.event = n.event)
ORDER BY n.event DESC LIMIT 1;

-- name: lease_get
SELECT owner, until FROM lease WHERE app = :app AND name = :name;

-- name: lease_set
INSERT INTO lease(app, name, owner, until) VALUES (:app, :name, :owner, :until)
ON CONFLICT (app, name) DO UPDATE SET owner = excluded.owner, until = excluded.until;

-- name: lease_take
INSERT INTO lease(app, name, owner, until) VALUES (:app, :name, :owner, :until)
ON CONFLICT (app, name) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE lease.owner = :was AND lease.until = :then;

-- name: lease_clear
DELETE FROM lease WHERE app = :app AND name = :name AND owner = :owner AND until = :then;

-- name: lease_drop
DELETE FROM lease WHERE app = :app AND name = :name AND owner = :owner;

-- name: peer_of
SELECT peer FROM (
  SELECT 1 AS rank, g.dst AS peer FROM edge g JOIN puser p ON p.id = g.dst
  WHERE g.src = :event AND g.type = :sent_to AND p.kind <> 'system'
  UNION ALL
  SELECT 2, g.dst FROM edge g JOIN puser p ON p.id = g.dst
  WHERE g.src = :event AND g.type = :sent_by AND p.kind <> 'system'
) x ORDER BY rank LIMIT 1;

-- name: ends_of_events
SELECT j.value, b.id, b.conn, b.kind = 'system', t.id, t.conn, t.kind = 'system' FROM {each keys} j
LEFT JOIN edge gb ON gb.src = j.value AND gb.type = :sent_by LEFT JOIN puser b ON b.id = gb.dst
LEFT JOIN edge gt ON gt.src = j.value AND gt.type = :sent_to LEFT JOIN puser t ON t.id = gt.dst;

-- name: threads_of_events
SELECT g.src, coalesce(CASE WHEN e.conn IS NULL THEN NULL ELSE payload_out(e.payload) ->> '$.thread' END, CAST(r.dk AS TEXT),
  (SELECT min(c.ext) FROM receipt c WHERE c.event = r.seq), CAST(r.seq AS TEXT))
FROM {each keys} j {pin event e ON e.seq = j.value} {pin edge g ON g.src = e.seq AND g.type = :in_thread}
{pin event r ON r.seq = g.dst}
UNION ALL
SELECT w.src, w.ext FROM {each keys} j {pin waiting w ON w.src = j.value AND w.type = :in_thread};

-- name: threads_of_origins
SELECT o.src, coalesce(CASE WHEN e.conn IS NULL THEN NULL ELSE payload_out(e.payload) ->> '$.thread' END, CAST(r.dk AS TEXT),
  (SELECT min(c.ext) FROM receipt c WHERE c.event = r.seq), CAST(r.seq AS TEXT))
FROM {each keys} j {pin edge o ON o.src = j.value AND o.type = :origin} {pin event e ON e.seq = o.dst}
{pin edge g ON g.src = e.seq AND g.type = :in_thread} {pin event r ON r.seq = g.dst}
UNION ALL
SELECT o.src, w.ext FROM {each keys} j {pin edge o ON o.src = j.value AND o.type = :origin}
{pin waiting w ON w.src = o.dst AND w.type = :in_thread};

-- name: told_before
SELECT o.src FROM {each keys} j {pin edge o ON o.src = j.value AND o.type = :origin} {pin event e ON e.seq = o.src}
WHERE EXISTS (SELECT 1 FROM edge s {pin event t ON t.seq = s.src}
  WHERE s.dst = o.dst AND s.type = :origin AND s.src < o.src AND t.type = e.type
    AND payload_out(t.payload) ->> '$.external_message_id' = payload_out(e.payload) ->> '$.external_message_id'
    AND coalesce(payload_out(t.payload) ->> '$.participant', '') = coalesce(payload_out(e.payload) ->> '$.participant', ''));

-- name: messages_at_a_glance
SELECT e.seq, coalesce(payload_out(e.payload) ->> '$.sender_is_bot', payload_out(e.payload) ->> '$.message.bot'),
  payload_out(e.payload) ->> '$.message.media_group_id',
  length(payload_out(e.payload) ->> '$.message.text')
FROM {each keys} j {pin event e ON e.seq = j.value};

-- name: handled_by
SELECT handler, unread FROM handled WHERE event = :event;

-- name: turn_standing
SELECT (SELECT owner FROM lease WHERE app = :app AND name = :name),
  (SELECT position FROM cursor WHERE app = :app AND name = :name),
  (SELECT 1 FROM handled WHERE event = :event AND handler = :handler),
  EXISTS (SELECT 1 FROM erasure WHERE event = :event AND raw_only <> 1) OR EXISTS (SELECT 1 FROM erasing WHERE event = :event);

-- name: turn_standing_of_many
SELECT (SELECT owner FROM lease WHERE app = :app AND name = :name),
  (SELECT position FROM cursor WHERE app = :app AND name = :name),
  (SELECT 1 FROM handled WHERE handler = :handler AND event {in keys} LIMIT 1),
  EXISTS (SELECT 1 FROM erasure WHERE event {in keys} AND raw_only <> 1) OR EXISTS (SELECT 1 FROM erasing WHERE event {in keys});

-- name: given_as_they_are
SELECT e.seq, payload_out(e.payload), EXISTS (SELECT 1 FROM erasing x WHERE x.event = e.seq)
FROM {each keys} j {pin event e ON e.seq = j.value};

-- name: park_add
INSERT INTO parked(event, handler, reason, at, failure) VALUES (:event, :handler, :reason, :now, :failure)
ON CONFLICT (event, handler) DO UPDATE
SET reason = excluded.reason, at = excluded.at, failure = excluded.failure;

-- name: park_list
SELECT handler FROM parked WHERE event = :event ORDER BY handler;

-- name: park_drop
DELETE FROM parked WHERE event = :event;

-- name: failures_of
SELECT DISTINCT payload_out(e.payload) ->> '$.handler' FROM edge g {pin event e ON e.seq = g.src AND e.type = :failed}
WHERE g.dst = :event AND g.type = :origin AND payload_out(e.payload) ->> '$.handler' IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM edge h JOIN event r ON r.seq = h.src AND r.type = :retried
                  WHERE h.dst = :event AND h.type = :origin);

-- name: retries_of
SELECT count(*) FROM retry WHERE event = :event;

-- name: befallen
SELECT j.value FROM {each keys} j
WHERE EXISTS (SELECT 1 FROM edge g WHERE g.dst = j.value AND g.type = :blocked)
  OR EXISTS (SELECT 1 FROM edge g {pin event e ON e.seq = g.src}
    WHERE g.dst = j.value AND g.type = :origin AND (e.type = :edited OR e.type = :deleted))
  OR EXISTS (SELECT 1 FROM erasure x WHERE x.event = j.value)
  OR EXISTS (SELECT 1 FROM erasing y WHERE y.event = j.value);

-- name: leaving
SELECT y.event FROM {each keys} j {pin erasing y ON y.event = j.value};

-- name: cause_of
SELECT e.type, payload_out(e.payload) ->> '$.sender_is_bot',
  (SELECT p.kind = 'system' FROM edge g JOIN puser p ON p.id = g.dst WHERE g.src = e.seq AND g.type = :sent_by LIMIT 1),
  (SELECT g.dst FROM edge g WHERE g.src = e.seq AND g.type = :triggered_by LIMIT 1),
  (SELECT g.dst FROM edge g WHERE g.src = e.seq AND g.type = :origin LIMIT 1),
  (SELECT o.event FROM edge g JOIN puser p ON p.id = g.dst AND p.kind <> 'system'
   JOIN entry o ON o.peer = g.dst AND o.event < e.seq
   WHERE g.src = e.seq AND g.type IN (:sent_to, :sent_by) ORDER BY g.type = :sent_to DESC, o.event DESC LIMIT 1)
FROM event e WHERE e.seq = :event;

-- name: lease_all
SELECT app, name, owner, until FROM lease;

-- name: lease_renew
UPDATE lease SET until = :until WHERE owner = :owner;

-- name: lease_drop_all
DELETE FROM lease WHERE owner = :owner;

-- name: app_numbers
SELECT id FROM application ORDER BY id;
