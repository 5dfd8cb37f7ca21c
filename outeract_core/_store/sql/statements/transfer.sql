-- Export and import of one application.

-- name: transfer_facts
SELECT o.name, o.uid, o.created_at, a.name, a.uid, a.config, a.system_person, a.created_at,
  coalesce((SELECT value FROM counter WHERE owner = a.id), 0),
  (SELECT count(*) FROM connection c WHERE c.app = a.id)
FROM application a JOIN organisation o ON o.id = a.organisation WHERE a.id = :app;

-- name: transfer_kinds
SELECT id, name FROM kind;

-- name: transfer_connections
SELECT id FROM connection WHERE app = :app ORDER BY id;

-- name: transfer_rules
SELECT id, uid FROM retention WHERE app = :app;

-- name: transfer_hashes
SELECT DISTINCT sha256 FROM file
WHERE id >= :lo AND id < :hi AND sha256 IS NOT NULL AND status = 'stored' ORDER BY sha256;

-- name: importing_by_app
SELECT source, line, position, conns FROM importing WHERE app = :app;

-- name: importing_all
SELECT o.name, a.name FROM importing i JOIN application a ON a.id = i.app
JOIN organisation o ON o.id = a.organisation ORDER BY a.id;

-- name: importing_begin
INSERT INTO importing(app, source, line, position, conns)
VALUES (:app, :source, 0, 0, (SELECT coalesce(max(id), 0) FROM connection));

-- name: importing_move
UPDATE importing SET line = :line, position = :position WHERE app = :app AND position = :was;

-- name: importing_end
DELETE FROM importing WHERE app = :app;

-- name: import_organisation
INSERT INTO organisation(uid, name, created_at)
SELECT CASE WHEN EXISTS (SELECT 1 FROM organisation WHERE uid = :uid) THEN :fresh ELSE :uid END, :name, :created
WHERE true ON CONFLICT (name) DO NOTHING;

-- name: import_application
INSERT INTO application(uid, organisation, name, config, created_at)
SELECT :uid, o.id, :name, :config, :created FROM organisation o WHERE o.name = :organisation;

-- name: import_system
UPDATE application SET system_person = :person WHERE id = :app;

-- name: import_number
SELECT a.id FROM application a JOIN organisation o ON o.id = a.organisation
WHERE a.name = :name AND o.name = :organisation;

-- name: import_known
SELECT o.name, a.name FROM application a JOIN organisation o ON o.id = a.organisation WHERE a.uid = :uid;

-- name: import_outbox_due
UPDATE outbox SET due = due - :paused WHERE id >= :lo AND id < :hi;

-- name: import_named
UPDATE puser SET named = CASE WHEN NOT EXISTS (SELECT 1 FROM alias o WHERE o.puser = puser.id AND o.value = puser.ext)
  OR EXISTS (SELECT 1 FROM alias o WHERE o.puser = puser.id AND o.type IN ('address', 'external_id')) THEN 1 ELSE 0 END
WHERE named IS NULL AND id >= :lo AND id < :hi;

-- name: import_profile_due
UPDATE profile SET due = CASE WHEN due > :paused THEN due - :paused ELSE 0 END WHERE due IS NOT NULL AND puser >= :lo AND puser < :hi;

-- name: import_file_due
UPDATE file SET due = due - :paused WHERE due IS NOT NULL AND id >= :lo AND id < :hi;

-- name: import_counter
INSERT INTO counter(owner, value) VALUES (:app, :last);

-- name: import_connections
SELECT count(*) FROM connection WHERE app = :app;

-- name: import_without_system
SELECT EXISTS (SELECT 1 FROM application a WHERE a.id = :app AND NOT EXISTS
  (SELECT 1 FROM person p WHERE p.id = a.system_person AND p.system = 1));

-- name: import_without_voice
SELECT EXISTS (SELECT 1 FROM connection c WHERE c.app = :app AND NOT EXISTS
  (SELECT 1 FROM puser p WHERE p.id = c.system_puser AND p.conn = c.id));

-- name: import_unname
DELETE FROM application WHERE id = :app;

-- name: import_unkey
DELETE FROM meta WHERE name = 'code_key/' || :app;

-- name: import_unparent
DELETE FROM organisation WHERE id NOT IN (SELECT organisation FROM application);

-- name: copy_writers
DELETE FROM counter WHERE owner < 0;

-- name: copy_lineage
INSERT INTO counter(owner, value) VALUES (0, :value) ON CONFLICT(owner) DO UPDATE SET value = excluded.value;

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
