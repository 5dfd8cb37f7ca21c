-- What is read again: a stretch of the log, and what has come of it before.

-- name: reread_stretch
-- The next so many events, of any connection, that something was kept of or not: the page is bounded
-- by what is looked at, not by what is found.
SELECT e.seq, e.id, e.conn, e.type, e.occurred_at, e.created_at, e.dk, payload_out(e.payload), raw_out(e.raw)
FROM event e WHERE e.seq > :after AND e.seq < :hi ORDER BY e.seq LIMIT :limit;

-- name: reread_before
-- By event, what was read of it before, oldest first.
SELECT j.value, payload_out(r.payload) FROM {each ids text} j {pin event r ON r.conn = :conn
  AND r.dk >= 'reparsed:' || j.value || ':' AND r.dk < 'reparsed:' || j.value || ';'} ORDER BY r.seq;

-- name: reread_files
SELECT g.src, raw_out(f.handle) FROM {each keys} j {pin edge g ON g.src = j.value AND g.type = :attachment}
{pin file f ON f.id = g.dst} WHERE f.handle IS NOT NULL;
