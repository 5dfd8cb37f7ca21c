-- Conversations as they are read.

-- name: recent_conversations
SELECT c.peer, c.last, c.inbound, c.outbound, c.unread, c.read_upto FROM connection n
-- Of each connection the newest are looked at, in the order of its index, and of all these the newest are given.
{pin conversation c ON c.conn = n.id AND c.last < :hi AND c.last >= coalesce(
  (SELECT d.last FROM conversation d WHERE d.conn = n.id AND d.last < :hi AND d.last >= :lo
   ORDER BY d.last DESC LIMIT 1 OFFSET :others), :lo)}
WHERE n.app = :app AND (n.id = :conn OR :conn IS NULL) ORDER BY c.last DESC LIMIT :limit;

-- name: recent_conversations_up
SELECT c.peer, c.last, c.inbound, c.outbound, c.unread, c.read_upto FROM connection n
{pin conversation c ON c.conn = n.id AND c.last >= :lo AND c.last <= coalesce(
  (SELECT d.last FROM conversation d WHERE d.conn = n.id AND d.last < :hi AND d.last >= :lo
   ORDER BY d.last LIMIT 1 OFFSET :others), :hi - 1)}
WHERE n.app = :app AND (n.id = :conn OR :conn IS NULL) ORDER BY c.last LIMIT :limit;

-- name: newest_of_many
SELECT j.value, n.event FROM {each keys} j
{pin entry n ON n.peer = j.value AND n.event IN (SELECT i.event FROM entry i WHERE i.peer = j.value ORDER BY i.event DESC LIMIT :most)};

-- name: unsaid
-- What has failed with every part, was cancelled or is not yet due was not said; what was deleted was (`Standing.said`).
SELECT d.event FROM {each keys} j {pin delivery d ON d.event = j.value}
WHERE d.status IN ('failed', 'cancelled') AND NOT EXISTS (
    SELECT 1 FROM receipt t WHERE t.event = d.event AND t.status IN ('sent', 'delivered', 'read'))
  OR d.status = 'queued' AND EXISTS (
    SELECT 1 FROM outbox o WHERE o.id = d.event AND o.due > :now AND o.attempt = 0 AND o.done = 0);

-- name: conversation_total
SELECT count(*) FROM conversation WHERE peer >= :lo AND peer < :hi AND (conn = :conn OR :conn IS NULL);

-- name: entries_down
SELECT n.event AS value FROM entry n WHERE n.peer = :source AND n.event < :below AND n.event >= :above
ORDER BY n.event DESC LIMIT :limit;

-- name: entries_up
SELECT n.event AS value FROM entry n WHERE n.peer = :source AND n.event >= :above AND n.event < :below
ORDER BY n.event LIMIT :limit;

-- name: entries_down_within
SELECT n.event AS value FROM entry n {pin event e ON e.seq = n.event}
WHERE n.peer = :source AND n.event < :below AND n.event >= :above AND e.occurred_at >= :since AND e.occurred_at < :until
ORDER BY n.event DESC LIMIT :limit;

-- name: entries_up_within
SELECT n.event AS value FROM entry n {pin event e ON e.seq = n.event}
WHERE n.peer = :source AND n.event >= :above AND n.event < :below AND e.occurred_at >= :since AND e.occurred_at < :until
ORDER BY n.event LIMIT :limit;

-- name: thread_down
SELECT g.src AS value FROM edge g {pin event e ON e.seq = g.src}
WHERE g.dst = :source AND g.type = :thread AND g.src < :below AND g.src >= :above AND e.type IN (:inbound, :outbound)
ORDER BY g.src DESC LIMIT :limit;

-- name: thread_up
SELECT g.src AS value FROM edge g {pin event e ON e.seq = g.src}
WHERE g.dst = :source AND g.type = :thread AND g.src >= :above AND g.src < :below AND e.type IN (:inbound, :outbound)
ORDER BY g.src LIMIT :limit;

-- name: thread_down_within
SELECT g.src AS value FROM edge g {pin event e ON e.seq = g.src}
WHERE g.dst = :source AND g.type = :thread AND g.src < :below AND g.src >= :above AND e.type IN (:inbound, :outbound)
  AND e.occurred_at >= :since AND e.occurred_at < :until
ORDER BY g.src DESC LIMIT :limit;

-- name: thread_up_within
SELECT g.src AS value FROM edge g {pin event e ON e.seq = g.src}
WHERE g.dst = :source AND g.type = :thread AND g.src >= :above AND g.src < :below AND e.type IN (:inbound, :outbound)
  AND e.occurred_at >= :since AND e.occurred_at < :until
ORDER BY g.src LIMIT :limit;

-- name: thread_root
SELECT e.seq AS value FROM event e WHERE e.seq = :source AND e.seq < :below AND e.seq >= :above
  AND NOT EXISTS (SELECT 1 FROM edge g WHERE g.src = e.seq AND g.type = :thread AND g.dst = e.seq);

-- name: thread_root_within
SELECT e.seq AS value FROM event e WHERE e.seq = :source AND e.seq < :below AND e.seq >= :above
  AND NOT EXISTS (SELECT 1 FROM edge g WHERE g.src = e.seq AND g.type = :thread AND g.dst = e.seq)
  AND e.occurred_at >= :since AND e.occurred_at < :until;

-- name: event_time
SELECT type, occurred_at FROM event WHERE seq = :seq;

-- name: participants
SELECT puser FROM participant WHERE peer = :peer ORDER BY puser LIMIT :limit;

-- name: thread_speakers
SELECT DISTINCT p.id FROM (SELECT e.seq AS src FROM event e WHERE e.seq = :root UNION ALL
                           SELECT g.src AS value FROM edge g WHERE g.dst = :root AND g.type = :thread) m
{pin edge s ON s.src = m.src AND s.type = :sent_by} {pin puser p ON p.id = s.dst}
WHERE p.kind <> 'system' ORDER BY p.id LIMIT :limit;

-- name: peers_of_person
SELECT p.id FROM puser p WHERE p.person = :person AND p.kind = 'person' ORDER BY p.id;

-- name: peers_of_uid
SELECT p.id FROM person q JOIN puser p ON p.person = q.id
WHERE q.uid = :uid AND q.id >= :lo AND q.id < :hi AND p.kind = 'person' ORDER BY p.id;

-- name: peer_times
SELECT n.event, e.type, e.occurred_at FROM entry n {pin event e ON e.seq = n.event}
WHERE n.peer = :source AND n.event >= :lo AND n.event < :hi AND e.occurred_at >= :since AND e.occurred_at < :until
ORDER BY n.event;

-- name: thread_times
SELECT g.src, e.type, e.occurred_at FROM edge g {pin event e ON e.seq = g.src}
WHERE g.dst = :source AND g.type = :thread AND g.src >= :lo AND g.src < :hi AND e.type IN (:inbound, :outbound)
  AND e.occurred_at >= :since AND e.occurred_at < :until
ORDER BY g.src;

-- name: peer_count
SELECT count(*) FROM entry n WHERE n.peer = :source AND n.event >= :lo AND n.event < :hi;
