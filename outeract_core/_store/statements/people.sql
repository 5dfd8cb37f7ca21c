-- Users, platform users, aliases.

-- name: person_add
INSERT INTO person(id, uid, name, system, created_at) VALUES (:id, :uid, :name, :system, :now);

-- name: puser_add
INSERT INTO puser(id, uid, person, conn, ext, address, kind, name, picture, created_at)
VALUES (:id, :uid, :person, :conn, :ext, :ext, :kind, :name, :picture, :now);

-- name: puser_by_ext
SELECT id, name, picture FROM puser WHERE conn = :conn AND ext = :ext;

-- name: puser_by_alias
SELECT p.id, p.name, p.picture FROM alias a JOIN puser p ON p.id = a.puser
WHERE a.conn = :conn AND a.value = :value ORDER BY a.type LIMIT 1;

-- name: puser_profile
UPDATE puser SET name = coalesce(:name, name), picture = coalesce(:picture, picture) WHERE id = :id;

-- name: puser_address
UPDATE puser SET address = :address WHERE id = :id;

-- name: person_name
UPDATE person SET name = :name WHERE id = (SELECT person FROM puser WHERE id = :puser) AND name IS NULL;

-- name: alias_add
INSERT INTO alias(conn, value, type, puser) VALUES (:conn, :value, :type, :puser)
ON CONFLICT (conn, value, type) DO NOTHING;

-- name: alias_move
INSERT INTO alias(conn, value, type, puser) VALUES (:conn, :value, :type, :puser)
ON CONFLICT (conn, value, type) DO UPDATE SET puser = excluded.puser;

-- name: puser_row
SELECT p.id, p.uid, p.person, q.uid, p.conn, p.ext, p.address, p.kind, p.name, p.picture, p.created_at
FROM puser p JOIN person q ON q.id = p.person WHERE p.id = :id;

-- name: puser_key
SELECT id FROM puser WHERE uid = :uid AND id >= :lo AND id < :hi;

-- name: person_key
SELECT id FROM person WHERE uid = :uid AND id >= :lo AND id < :hi;

-- name: person_row
SELECT p.id, p.uid, p.name, p.system, m.uid, p.created_at
FROM person p LEFT JOIN person m ON m.id = p.merged_into WHERE p.id = :id;

-- name: person_pusers
SELECT id FROM puser WHERE person = :person ORDER BY id;

-- name: aliases_of
SELECT type, value FROM alias WHERE puser = :puser ORDER BY type, value;

-- name: person_of
SELECT person FROM puser WHERE id = :puser;

-- name: puser_move
UPDATE puser SET person = :person WHERE id = :puser;

-- name: moved_add
INSERT INTO moved(puser, event, at, previous, current) VALUES (:puser, :event, :at, :previous, :current);

-- name: moved_after
SELECT previous FROM moved WHERE puser = :puser AND at > :at ORDER BY event LIMIT 1;

-- name: person_merged
UPDATE person SET merged_into = :target WHERE id = :person;

-- name: person_merged_into
SELECT merged_into FROM person WHERE id = :id;
