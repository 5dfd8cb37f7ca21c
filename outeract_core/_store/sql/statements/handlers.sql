-- The durable cursor of handlers, retries, leases.

-- name: cursor_get
SELECT position FROM cursor WHERE app = :app AND name = :name;

-- name: cursor_set
INSERT INTO cursor(app, name, position) VALUES (:app, :name, :position)
ON CONFLICT (app, name) DO UPDATE SET position = excluded.position WHERE cursor.position < excluded.position;

-- name: feed
SELECT seq, type FROM event WHERE seq > :after AND seq < :hi ORDER BY seq LIMIT :limit;

-- name: handled_add
INSERT INTO handled(event, handler) VALUES (:event, :handler) ON CONFLICT (event, handler) DO NOTHING;

-- name: handled_drop
DELETE FROM handled WHERE event >= :lo AND event <= :upto;

-- name: handled_list
SELECT event, handler FROM handled WHERE event > :after AND event < :hi;

-- name: retry_set
INSERT INTO retry(event, handler, attempt, due, error) VALUES (:event, :handler, :attempt, :due, :error)
ON CONFLICT (event, handler) DO UPDATE SET attempt = excluded.attempt, due = excluded.due, error = excluded.error;

-- name: retry_drop
DELETE FROM retry WHERE event = :event AND handler = :handler;

-- name: retry_list
SELECT event, handler, attempt, due FROM retry WHERE event >= :lo AND event < :hi;

-- name: processed_add
INSERT INTO processed(event, at) VALUES (:event, :now) ON CONFLICT (event) DO NOTHING;

-- name: lease_get
SELECT owner, until FROM lease WHERE app = :app AND name = :name;

-- name: lease_set
INSERT INTO lease(app, name, owner, until) VALUES (:app, :name, :owner, :until)
ON CONFLICT (app, name) DO UPDATE SET owner = excluded.owner, until = excluded.until;

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
SELECT g.src, g.type, p.id, p.conn FROM carray(:keys) j
CROSS JOIN edge g ON g.src = j.value AND g.type IN (:sent_to, :sent_by)
CROSS JOIN puser p ON p.id = g.dst WHERE p.kind <> 'system';

-- name: events_in_threads
SELECT g.src FROM carray(:keys) j CROSS JOIN edge g ON g.src = j.value AND g.type = :in_thread
UNION ALL
SELECT w.src FROM carray(:keys) j CROSS JOIN waiting w ON w.src = j.value AND w.type = :in_thread;

-- name: handled_by
SELECT handler FROM handled WHERE event = :event;

-- name: is_handled
SELECT 1 FROM handled WHERE event = :event AND handler = :handler;
