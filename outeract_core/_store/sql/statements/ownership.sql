-- Who works for which application: leases, and who is willing to hold them.

-- name: lease_all
SELECT app, name, owner, until FROM lease;

-- name: lease_renew
UPDATE lease SET until = :until WHERE owner = :owner;

-- name: lease_drop_all
DELETE FROM lease WHERE owner = :owner;

-- name: app_numbers
SELECT id FROM application ORDER BY id;

-- name: file_due_of
SELECT id, conn, handle, sha256, attempt, size, status, mime FROM file
WHERE due <= :now AND (lease_until IS NULL OR lease_until <= :now)
  AND (id >> 40) IN (SELECT j.value FROM carray(:keys) j) ORDER BY due LIMIT :limit;
