-- File nodes and their downloads.

-- name: file_add
INSERT INTO file(id, uid, conn, event, filename, mime, size, sha256, status, handle, due, created_at)
VALUES (:id, :uid, :conn, :event, :filename, :mime, :size, :sha256, :status, :handle, :due, :now);

-- name: file_due
SELECT id, conn, handle, sha256, attempt, size, status, mime FROM file WHERE due <= :now ORDER BY due LIMIT :limit;

-- name: next_file
SELECT min(due) FROM file WHERE due IS NOT NULL;

-- name: file_lease
UPDATE file SET due = :due, attempt = attempt + 1 WHERE id = :id;

-- name: file_stored
UPDATE file SET status = 'stored', size = :size, sha256 = :sha256, due = :due, attempt = 0, error = NULL,
  mime = coalesce(mime, :mime) WHERE id = :id AND status <> 'erased';

-- name: file_failed
UPDATE file SET status = 'failed', due = NULL, error = :error WHERE id = :id AND status <> 'erased';

-- name: file_done
UPDATE file SET due = NULL, error = :error WHERE id = :id AND status <> 'erased';

-- name: file_retry
UPDATE file SET due = :due, error = :error WHERE id = :id AND status <> 'erased';

-- name: file_event
SELECT event, uid FROM file WHERE id = :id;

-- name: file_key
SELECT id FROM file WHERE uid = :uid AND id >= :lo AND id < :hi;

-- name: attached
SELECT dst FROM edge WHERE src = :src AND type = :type ORDER BY dst;
