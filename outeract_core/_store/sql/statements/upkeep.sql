-- Erasure, and the projections rebuilt from the log.

-- name: erasure_add
INSERT INTO erasure(event, raw_only, by) SELECT j.value, :raw_only, :by FROM {each events} j
WHERE true ON CONFLICT (event, raw_only) DO NOTHING;

-- name: tombstone
UPDATE event SET payload = '{"erased":true}', raw = NULL
WHERE seq {in events} AND (raw IS NOT NULL OR payload_out(payload) <> '{"erased":true}');

-- name: raw_tombstone
UPDATE event SET raw = NULL WHERE seq {in events} AND raw IS NOT NULL;

-- name: redact
-- What has left in another way meanwhile is not brought back.
UPDATE event SET payload = payload_in(:payload), raw = CASE WHEN raw IS NULL THEN NULL ELSE raw_in(:raw) END
WHERE seq = :event AND payload_out(payload) <> '{"erased":true}'
  AND (payload_out(payload) IS DISTINCT FROM :payload OR (raw IS NOT NULL AND raw_out(raw) IS DISTINCT FROM :raw));

-- name: erasing_add
INSERT INTO erasing(event, by, payload, raw) VALUES (:event, :by, payload_in(:payload), raw_in(:raw));

-- name: erasing_next
SELECT event, by, payload_out(payload), raw_out(raw) FROM erasing ORDER BY event LIMIT :limit;

-- name: erasing_done
DELETE FROM erasing WHERE event {in events};

-- name: erasing_any
SELECT 1 FROM erasing LIMIT 1;

-- name: erasing_of_app
SELECT 1 FROM erasing WHERE event >= :lo AND event < :hi LIMIT 1;

-- name: dropping_add
INSERT INTO dropping(sha256) VALUES (:sha256) ON CONFLICT (sha256) DO NOTHING;

-- name: dropping_all
SELECT sha256 FROM dropping;

-- name: dropping_done
DELETE FROM dropping WHERE sha256 {in hashes};

-- name: events_naming
SELECT e.seq FROM event e WHERE e.seq > :after AND e.seq <= :upto AND EXISTS (
  SELECT 1 FROM {each names text} n WHERE instr(payload_out(e.payload), n.value) > 0 OR instr(raw_out(e.raw), n.value) > 0);

-- name: events_whole
SELECT e.seq, e.conn, e.type, payload_out(e.payload), raw_out(e.raw) FROM {each keys} j {pin event e ON e.seq = j.value}
WHERE payload_out(e.payload) <> '{"erased":true}';

-- name: outbox_of_events
SELECT o.id, o.lane, o.conn, o.event, o.verb FROM outbox o
WHERE o.event {in events} ORDER BY o.id;

-- name: shown_of_puser
SELECT p.conn, name_out(p.name) FROM puser p WHERE p.id = :puser AND p.name IS NOT NULL
UNION SELECT p.conn, name_out(u.name) FROM puser p JOIN person u ON u.id = p.person
WHERE p.id = :puser AND u.name IS NOT NULL;

-- name: usernames_of_puser
SELECT DISTINCT e.conn, coalesce(payload_out(e.payload) ->> '$.message.username', payload_out(e.payload) ->> '$.username')
FROM edge g {pin event e ON e.seq = g.src} WHERE g.dst = :puser AND g.type = :sent_by
AND coalesce(payload_out(e.payload) ->> '$.message.username', payload_out(e.payload) ->> '$.username') IS NOT NULL;

-- name: holders
SELECT g.src FROM edge g {pin event e ON e.seq = g.src}
WHERE g.dst = :file AND g.type = :attachment AND payload_out(e.payload) <> '{"erased":true}'
  AND NOT e.type {in notes}
ORDER BY g.src DESC LIMIT :limit;

-- name: events_of_types
SELECT e.seq, e.type FROM {each keys} j {pin event e ON e.seq = j.value};

-- name: merged_persons
SELECT id FROM person WHERE merged_into = :person AND id >= :lo AND id < :hi;

-- name: person_erase
UPDATE person SET name = NULL WHERE id = :id;

-- name: puser_erase
UPDATE puser SET name = NULL, picture = NULL, ext = :unknown, address = :unknown WHERE id = :id;

-- name: alias_erase
DELETE FROM alias WHERE puser = :puser;

-- name: names_of_puser
SELECT p.conn, p.ext FROM puser p WHERE p.id = :puser
UNION SELECT p.conn, p.address FROM puser p WHERE p.id = :puser
UNION SELECT a.conn, a.value FROM alias a WHERE a.puser = :puser;

-- name: raw_erase
UPDATE raw_delivery SET body = {empty}, headers = '{}', query = '{}', error = NULL, state = 'erased'
WHERE conn = :conn AND instr(raw_out(body), :name) > 0;

-- name: link_code_erase
DELETE FROM link_code WHERE puser = :puser;

-- name: retry_erase
UPDATE retry SET error = 'erased' WHERE event {in events};

-- name: file_facts
SELECT sha256, status FROM file WHERE id = :id;

-- name: file_erase
UPDATE file SET status = 'erased', filename = NULL, handle = NULL, due = NULL, error = NULL, sha256 = NULL
WHERE id = :id;

-- name: sha256_used
SELECT id FROM file WHERE sha256 = :sha256 LIMIT 1;

-- name: outbox_of_lane
SELECT id, conn, event, verb FROM outbox WHERE lane = :lane ORDER BY id;

-- name: derived_entries
SELECT peer, event FROM (
  SELECT coalesce(
    (SELECT g.dst FROM edge g JOIN puser p ON p.id = g.dst
     WHERE g.src = e.seq AND g.type = :sent_to AND p.kind <> 'system'),
    (SELECT g.dst FROM edge g JOIN puser p ON p.id = g.dst
     WHERE g.src = e.seq AND g.type = :sent_by AND p.kind <> 'system')) AS peer, e.seq AS event
  FROM event e WHERE e.type IN (:inbound, :outbound) AND e.seq >= :lo AND e.seq < :hi) t
WHERE peer IS NOT NULL;

-- name: derived_conversations
SELECT t.peer, t.last, t.inbound, t.outbound,
  (SELECT count(*) FROM entry m JOIN event f ON f.seq = m.event
   WHERE m.peer = t.peer AND m.event > t.read_upto AND f.type = :inbound) AS unread, t.read_upto,
  (SELECT p.conn FROM puser p WHERE p.id = t.peer) AS conn
FROM (
  SELECT n.peer AS peer, max(n.event) AS last, sum(CASE WHEN e.type = :inbound THEN 1 ELSE 0 END) AS inbound,
    sum(CASE WHEN e.type = :inbound THEN 0 ELSE 1 END) AS outbound,
    coalesce((SELECT max(o.dst) FROM edge a JOIN event r ON r.seq = a.src JOIN edge o ON o.src = a.src
      WHERE a.dst = n.peer AND a.type = :about AND r.type = :read AND o.type = :origin), 0) AS read_upto
  FROM entry n JOIN event e ON e.seq = n.event WHERE n.peer >= :lo AND n.peer < :hi GROUP BY n.peer) t;

-- name: derived_participants
SELECT n.peer, g.dst, count(*) FROM entry n JOIN edge g ON g.src = n.event AND g.type = :sent_by
JOIN puser p ON p.id = g.dst
WHERE n.peer >= :lo AND n.peer < :hi AND g.dst <> n.peer AND p.kind <> 'system' GROUP BY n.peer, g.dst;

-- name: depth_retries
SELECT count(*) FROM retry;

-- name: depth_hung
SELECT count(*) FROM event WHERE seq > :after AND seq < :hi AND type = :hangs;

-- name: depth_parked
SELECT count(*), (SELECT p.event FROM parked p WHERE p.at >= :since ORDER BY p.at DESC LIMIT 1), max(at)
FROM parked WHERE at >= :since;

-- name: counts
SELECT 'events', count(*) FROM event WHERE seq >= :lo AND seq < :hi
UNION ALL SELECT 'inbound', coalesce(sum(inbound), 0) FROM conversation WHERE peer >= :lo AND peer < :hi
UNION ALL SELECT 'outbound', coalesce(sum(outbound), 0) FROM conversation WHERE peer >= :lo AND peer < :hi
UNION ALL SELECT 'edges', count(*) FROM edge WHERE dst >= :lo AND dst < :hi
UNION ALL SELECT 'users', count(*) FROM person WHERE id >= :lo AND id < :hi AND system = 0
UNION ALL SELECT 'platform users', count(*) FROM puser WHERE id >= :lo AND id < :hi AND kind <> 'system'
UNION ALL SELECT 'files', count(*) FROM file WHERE id >= :lo AND id < :hi;
