-- Walks over the graph.

-- name: node_kinds
SELECT j.value, CASE WHEN e.seq IS NOT NULL THEN 'event' WHEN p.id IS NOT NULL THEN 'platform_user'
                     WHEN q.id IS NOT NULL THEN 'user' ELSE 'file' END
FROM {each keys} j LEFT JOIN event e ON e.seq = j.value LEFT JOIN puser p ON p.id = j.value
LEFT JOIN person q ON q.id = j.value;

-- name: pusers_of_persons
SELECT p.id, p.person FROM {each keys} j {pin puser p ON p.person = j.value};

-- name: persons_of_pusers
SELECT p.id, p.person FROM {each keys} j {pin puser p ON p.id = j.value};

-- name: system_pusers
SELECT c.system_puser FROM connection c WHERE c.app = :app;

-- name: late_edges
SELECT g.src, g.type, g.dst, g.at FROM {each keys} j {pin edge g ON g.src = j.value}
WHERE g.at IS NOT NULL;

-- name: outbox_of_event
SELECT state, attempt, due, raw_out(error) FROM outbox WHERE id = :event AND event = :event;

-- name: retries_of_event
SELECT handler, attempt, due FROM retry WHERE event = :event ORDER BY handler;
