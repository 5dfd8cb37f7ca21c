-- What is still before the sender and the handlers, and what became of what they took up.

-- name: backlog_outbox
SELECT count(*), count(CASE WHEN attempt > 0 AND error IS NOT NULL AND raw_out(error) NOT IN (:paced, :pending) THEN 1 END),
  min(CASE WHEN waits = 0 THEN due END)
FROM outbox WHERE id >= :lo AND id < :hi;

-- name: backlog_retries
SELECT count(*), min(due) FROM retry WHERE event >= :lo AND event < :hi;

-- name: backlog_newest
SELECT max(seq) FROM event WHERE seq >= :lo AND seq < :hi;

-- name: backlog_parked
SELECT count(*) FROM event e WHERE e.seq > :after AND e.seq < :hi
  AND e.type IN (SELECT k.id FROM kind k WHERE k.name IN ('system.handler_failed', 'system.loop_stopped'));

-- name: backlog_outcomes
SELECT d.status, count(*) FROM {each keys} j {pin delivery d ON d.event = j.value} GROUP BY d.status;

-- name: backlog_rows_of
SELECT 1 FROM outbox WHERE conn = :conn AND waits = 0 AND due <= :now LIMIT 1;

-- name: backlog_files_of
SELECT 1 FROM file WHERE conn = :conn AND due <= :now LIMIT 1;
