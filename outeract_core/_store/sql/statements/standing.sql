-- Messages as they stand: what has happened to each of a page. They are asked together (`reading/standing.py`).

-- name: changes_of_messages
SELECT g.dst, g.src, e.type, e.occurred_at, payload_out(e.payload),
  (SELECT s.dst FROM edge s WHERE s.src = e.seq AND s.type = :sent_by LIMIT 1),
  -- Our own acts count once the platform has them: not while they wait, not when they have failed.
  CASE WHEN NOT EXISTS (SELECT 1 FROM outbox o WHERE o.id = e.seq) AND (e.dk IS NOT NULL
    OR NOT EXISTS (SELECT 1 FROM edge f {pin event x ON x.seq = f.src}
                   WHERE f.dst = e.seq AND f.type = :origin AND x.type IN (:failed, :cancelled, :unknown))
    OR EXISTS (SELECT 1 FROM edge f {pin event x ON x.seq = f.src}
               WHERE f.dst = e.seq AND f.type = :origin AND x.type = :sent)) THEN 1 ELSE 0 END
FROM {each keys} j {pin edge g ON g.dst = j.value AND g.type = :origin}
{pin event e ON e.seq = g.src}
WHERE e.type IN (:edited, :reparsed, :deleted, :transcribed, :action, :reaction_added, :reaction_removed)
  -- Whether anything has happened is asked first: nearly always nothing has, and then no bound is looked for.
  AND (SELECT h.src FROM edge h WHERE h.dst = j.value AND h.type = :origin LIMIT 1) IS NOT NULL
  AND g.src >= coalesce((SELECT b.src FROM edge b WHERE b.dst = j.value AND b.type = :origin
                         ORDER BY b.src DESC LIMIT 1 OFFSET :most), 0);

-- name: ends_of_messages
SELECT g.src, g.type, g.dst FROM {each keys} j
-- The few edges of a message are looked at in one go: a list to be found in would be a temporary table.
{pin edge g ON g.src = j.value AND (+g.type = :attachment OR +g.type = :reply_to)};

-- name: receipts_of_messages
SELECT r.event, r.part, r.status, r.ext FROM {each keys} j {pin receipt r ON r.event = j.value};

-- name: parts_of_messages
SELECT r.event, r.part, r.status, '' FROM {each keys} j {pin part r ON r.event = j.value};

-- name: not_yet_due
SELECT o.id, o.due FROM {each keys} j {pin outbox o ON o.id = j.value}
WHERE o.due > :now AND o.attempt = 0 AND o.done = 0;

-- name: first_speakers
SELECT t.peer, t.puser FROM {each keys} j {pin participant t ON t.peer = j.value}
WHERE t.puser <= coalesce((SELECT l.puser FROM participant l WHERE l.peer = j.value
                           ORDER BY l.puser LIMIT 1 OFFSET :others), t.puser);

-- name: happened_with
SELECT g.src FROM edge g WHERE g.dst = :source AND g.type = :type AND g.src >= :lo AND g.src < :hi
ORDER BY g.src DESC LIMIT :limit;

-- name: happened_in_thread
SELECT g.src, c.type FROM edge g {pin edge c ON c.src = g.src AND c.type IN (:context_user, :context_assistant, :context_tool, :context_system)}
WHERE g.dst = :source AND g.type = :thread AND g.src >= :lo AND g.src < :hi ORDER BY g.src DESC LIMIT :limit;

-- name: parts_removed
SELECT payload_out(e.payload) ->> '$.removed' FROM edge g {pin event e ON e.seq = g.src}
WHERE g.dst = :dst AND g.type = :origin AND e.type = :edited AND payload_out(e.payload) ->> '$.removed' IS NOT NULL
  AND e.dk IS NULL;
