-- A copy of the file, and the program that is started on it.

-- name: copy_writers
DELETE FROM counter WHERE owner < 0;

-- name: copy_leases
DELETE FROM lease;

-- name: copy_files
UPDATE file SET lease_until = NULL, lease_owner = NULL, lease_token = NULL WHERE lease_owner IS NOT NULL;

-- name: copy_outbox
UPDATE outbox SET lease_until = NULL, lease_owner = NULL, lease_token = NULL, arrives = NULL,
  state = CASE WHEN state = 'queued' THEN 'copied' ELSE state END;

-- name: bytes_of_files
SELECT sha256, max(size) FROM file WHERE status = 'stored' AND sha256 IS NOT NULL GROUP BY sha256 ORDER BY sha256;

-- name: copied_any
SELECT id FROM outbox WHERE state = 'copied' LIMIT 1;

-- name: copied_doubted
UPDATE outbox SET state = 'sending' WHERE state = 'copied' AND due <= :now;

-- name: copied_queued
UPDATE outbox SET state = 'queued' WHERE state = 'copied';
