-- What the doctor counts.

-- name: depth_retries
SELECT count(*) FROM retry;

-- name: depth_parked
SELECT count(*) FROM parked;

-- name: counts
SELECT 'events', count(*) FROM event WHERE seq >= :lo AND seq < :hi
UNION ALL SELECT 'inbound', coalesce(sum(inbound), 0) FROM conversation WHERE peer >= :lo AND peer < :hi
UNION ALL SELECT 'outbound', coalesce(sum(outbound), 0) FROM conversation WHERE peer >= :lo AND peer < :hi
UNION ALL SELECT 'edges', count(*) FROM edge WHERE dst >= :lo AND dst < :hi
UNION ALL SELECT 'users', count(*) FROM person WHERE id >= :lo AND id < :hi AND system = 0
UNION ALL SELECT 'platform users', count(*) FROM puser WHERE id >= :lo AND id < :hi AND kind <> 'system'
UNION ALL SELECT 'files', count(*) FROM file WHERE id >= :lo AND id < :hi;
