-- File nodes and their downloads.

-- name: file_add
INSERT INTO file(id, uid, conn, event, filename, mime, size, sha256, status, handle, due, created_at)
VALUES (:id, :uid, :conn, :event, name_in(:filename), :mime, :size, :sha256, :status, raw_in(:handle), :due, :now);

-- name: file_due
SELECT o.due, o.id, o.conn
FROM {each keys} c {pin file o ON o.id IN (
  SELECT i.id FROM file i WHERE i.conn = c.value AND i.due <= :now
    AND (i.lease_until IS NULL OR i.lease_until <= :now) ORDER BY i.due LIMIT :each)};

-- name: file_lease
UPDATE file SET lease_until = :until, lease_owner = :owner, lease_token = :token
WHERE id {in keys} AND due <= :now AND (lease_until IS NULL OR lease_until <= :now)
RETURNING id, conn, raw_out(handle), sha256, attempt, size, status, mime;

-- name: file_renew
UPDATE file SET lease_until = :until
WHERE id {in keys} AND lease_owner = :owner RETURNING id;

-- name: file_release
UPDATE file SET lease_until = NULL, lease_owner = NULL, lease_token = NULL WHERE id = :id AND lease_token = :token;

-- name: file_release_all
UPDATE file SET lease_until = NULL, lease_owner = NULL, lease_token = NULL WHERE lease_owner = :owner;

-- name: file_stored
UPDATE file SET status = 'stored', size = :size, sha256 = :sha256, due = :due, attempt = 0, error = NULL,
  mime = coalesce(mime, :mime), lease_until = NULL, lease_owner = NULL, lease_token = NULL
WHERE id = :id AND lease_token = :token AND status <> 'erased';

-- name: file_failed
UPDATE file SET status = 'failed', due = NULL, error = raw_in(:error), lease_until = NULL, lease_owner = NULL, lease_token = NULL
WHERE id = :id AND lease_token = :token AND status <> 'erased';

-- name: file_done
UPDATE file SET due = NULL, error = raw_in(:error), lease_until = NULL, lease_owner = NULL, lease_token = NULL
WHERE id = :id AND lease_token = :token AND status <> 'erased';

-- name: file_retry
UPDATE file SET due = :due, attempt = attempt + :tried, error = raw_in(:error),
  lease_until = NULL, lease_owner = NULL, lease_token = NULL
WHERE id = :id AND lease_token = :token AND status <> 'erased';

-- name: file_event
SELECT event, uid FROM file WHERE id = :id;

-- name: file_key
SELECT id FROM file WHERE uid = :uid AND id >= :lo AND id < :hi;

-- name: attached
SELECT dst FROM edge WHERE src = :src AND type = :type ORDER BY dst;
