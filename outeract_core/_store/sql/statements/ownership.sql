-- Who works for which application: leases, and who is willing to hold them.

-- name: lease_all
SELECT app, name, owner, until FROM lease;

-- name: lease_renew
UPDATE lease SET until = :until WHERE owner = :owner;

-- name: lease_drop_all
DELETE FROM lease WHERE owner = :owner;

-- name: app_numbers
SELECT id FROM application ORDER BY id;

-- name: outbox_heads_of
SELECT o.id, o.lane FROM outbox o
WHERE o.waits = 0 AND o.due <= :now AND (o.lease_until IS NULL OR o.lease_until <= :now)
  AND (o.lane >> 40) IN (SELECT j.value FROM carray(:keys) j)
  AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.lane = o.lane AND p.id < o.id
                  AND (p.attempt > 0 OR p.due <= :now OR p.lease_until > :now))
ORDER BY o.due, o.id LIMIT :limit;

-- name: file_due_of
SELECT id, conn, handle, sha256, attempt, size, status, mime FROM file
WHERE due <= :now AND (lease_until IS NULL OR lease_until <= :now)
  AND (id >> 40) IN (SELECT j.value FROM carray(:keys) j) ORDER BY due LIMIT :limit;
