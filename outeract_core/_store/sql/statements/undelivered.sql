-- Messages that ended without having arrived, as far as anybody knows, and turns that came to nothing; the newest first.

-- name: undelivered
SELECT d.event, d.status, d.reason, e.conn, c.created_at, payload_out(c.payload) ->> '$.class', payload_out(c.payload) ->> '$.code'
FROM delivery d JOIN event e ON e.seq = d.event
LEFT JOIN event c ON c.seq = (
  SELECT max(g.src) FROM edge g JOIN event x ON x.seq = g.src
  WHERE g.dst = d.event AND g.type = :origin AND x.type IN (:failed, :unknown))
WHERE d.status IN ('failed', 'unknown') AND d.event >= :lo AND d.event < :before
  AND (d.status = :status OR :status IS NULL) AND (e.conn = :conn OR :conn IS NULL)
  AND coalesce(c.created_at, e.created_at) >= :since AND coalesce(c.created_at, e.created_at) < :until
ORDER BY d.event DESC LIMIT :limit;

-- name: undelivered_counts
SELECT d.status, payload_out(c.payload) ->> '$.class', e.conn,
  coalesce(c.created_at, e.created_at) / :width * :width AS start, count(*)
FROM delivery d JOIN event e ON e.seq = d.event
LEFT JOIN event c ON c.seq = (
  SELECT max(g.src) FROM edge g JOIN event x ON x.seq = g.src
  WHERE g.dst = d.event AND g.type = :origin AND x.type IN (:failed, :unknown))
WHERE d.status IN ('failed', 'unknown') AND d.event >= :lo AND d.event < :before
  AND (e.conn = :conn OR :conn IS NULL)
  AND coalesce(c.created_at, e.created_at) >= :since AND coalesce(c.created_at, e.created_at) < :until
GROUP BY 1, 2, 3, 4 ORDER BY 4 DESC, 1, 3, 2;

-- Turns that were given up, or have failed and are to be run again. What is run again by hand has an
-- event of its own (`retried`), and is told as what it is about.

-- name: unhandled
SELECT k.event, k.handler, 'parked', k.reason, k.failure, NULL AS attempt, k.at, NULL AS due, k.event, e.conn
FROM parked k JOIN event e ON e.seq = k.event
WHERE k.event >= :lo AND (k.event, k.handler) < (:before, :handler)
  AND (:status = 'parked' OR :status IS NULL) AND (k.handler = :named OR :named IS NULL)
  AND (e.conn = :conn OR :conn IS NULL) AND k.at >= :since AND k.at < :until
UNION ALL
SELECT t.event, t.handler, 'retrying', 'failed', t.failure, t.attempt, t.at, t.due, s.seq, s.conn
FROM (SELECT r.event, r.handler, r.failure, r.attempt, r.due, coalesce((SELECT max(a.last) FROM attempt a WHERE a.event = r.event AND a.kind = 'handle'
        AND a.name = r.handler), r.due) AS at FROM retry r) t
JOIN event e ON e.seq = t.event
LEFT JOIN edge g ON g.src = t.event AND g.type = :origin AND e.type = :retried
JOIN event s ON s.seq = coalesce(g.dst, t.event)
WHERE t.event >= :lo AND (t.event, t.handler) < (:before, :handler)
  AND (:status = 'retrying' OR :status IS NULL) AND (t.handler = :named OR :named IS NULL)
  AND (s.conn = :conn OR :conn IS NULL) AND t.at >= :since AND t.at < :until
ORDER BY 1 DESC, 2 DESC LIMIT :limit;

-- name: unhandled_counts
SELECT status, reason, failure, handler, conn, at / :width * :width AS start, count(*) FROM (
  SELECT 'parked' AS status, k.reason, k.failure, k.handler, e.conn, k.at
  FROM parked k JOIN event e ON e.seq = k.event WHERE k.event >= :lo AND k.event < :before
  UNION ALL
  SELECT 'retrying', 'failed', r.failure, r.handler, s.conn,
    coalesce((SELECT max(a.last) FROM attempt a WHERE a.event = r.event AND a.kind = 'handle'
      AND a.name = r.handler), r.due)
  FROM retry r JOIN event e ON e.seq = r.event
  LEFT JOIN edge g ON g.src = r.event AND g.type = :origin AND e.type = :retried
  JOIN event s ON s.seq = coalesce(g.dst, r.event) WHERE r.event >= :lo AND r.event < :before) t
WHERE (conn = :conn OR :conn IS NULL) AND at >= :since AND at < :until
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 6 DESC, 1, 5, 4, 3;

-- name: handlers_of_unhandled
SELECT k.handler FROM parked k WHERE k.event >= :lo AND k.event < :hi
UNION SELECT r.handler FROM retry r WHERE r.event >= :lo AND r.event < :hi;
