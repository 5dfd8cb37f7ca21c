-- Who works for which application: leases, and who is willing to hold them.

-- name: lease_all
SELECT app, name, owner, until FROM lease;

-- name: lease_renew
UPDATE lease SET until = :until WHERE owner = :owner;

-- name: lease_drop_all
DELETE FROM lease WHERE owner = :owner;

-- name: app_numbers
SELECT id FROM application ORDER BY id;
