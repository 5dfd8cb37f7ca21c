-- Messages that ended without having arrived, as far as anybody knows; the newest first.

-- name: undelivered
SELECT d.event, d.status, d.reason, e.conn, c.created_at, c.payload ->> '$.class', c.payload ->> '$.code'
FROM delivery d JOIN event e ON e.seq = d.event
LEFT JOIN event c ON c.seq = (
  SELECT max(g.src) FROM edge g JOIN event x ON x.seq = g.src
  WHERE g.dst = d.event AND g.type = :origin AND x.type IN (:failed, :unknown))
WHERE d.status IN ('failed', 'unknown') AND d.event >= :lo AND d.event < :before
  AND (:status IS NULL OR d.status = :status) AND (:conn IS NULL OR e.conn = :conn)
  AND coalesce(c.created_at, e.created_at) >= :since AND coalesce(c.created_at, e.created_at) < :until
ORDER BY d.event DESC LIMIT :limit;

-- name: undelivered_counts
SELECT d.status, c.payload ->> '$.class', e.conn,
  coalesce(c.created_at, e.created_at) / :width * :width AS start, count(*)
FROM delivery d JOIN event e ON e.seq = d.event
LEFT JOIN event c ON c.seq = (
  SELECT max(g.src) FROM edge g JOIN event x ON x.seq = g.src
  WHERE g.dst = d.event AND g.type = :origin AND x.type IN (:failed, :unknown))
WHERE d.status IN ('failed', 'unknown') AND d.event >= :lo AND d.event < :before
  AND (:conn IS NULL OR e.conn = :conn)
  AND coalesce(c.created_at, e.created_at) >= :since AND coalesce(c.created_at, e.created_at) < :until
GROUP BY 1, 2, 3, 4 ORDER BY 4 DESC, 1, 3, 2;
