-- Users, platform users, aliases.
--
-- `puser_by_id`: by an id of their own, what the platform has told last before what they were met by. Its
-- fourth column: whether they were met by an alias alone, so that their id may still be to come.
-- `puser_is_place`: who was written to before the platform has told that it is no person; then
-- it is asked of as a place, too (`profile_of_place`).
-- `puser_nameless`: whoever is called so and was met by an alias alone.
-- `profile_due`: the last column tells when there was to do with them last.

-- name: person_add
INSERT INTO person(id, uid, name, system, created_at) VALUES (:id, :uid, name_in(:name), :system, :now);

-- name: puser_add
INSERT INTO puser(id, uid, person, conn, ext, address, kind, name, picture, named, created_at)
VALUES (:id, :uid, :person, :conn, :ext, :ext, :kind, name_in(:name), name_in(:picture), :named, :now);

-- name: puser_by_id
SELECT p.id, name_out(p.name), name_out(p.picture), p.named = 0, p.kind
FROM puser p WHERE p.id = coalesce(
  (SELECT a.puser FROM alias a WHERE a.conn = :conn AND a.value = :ext AND a.type = 'external_id'),
  (SELECT a.puser FROM alias a WHERE a.conn = :conn AND a.value = :ext AND a.type = 'address'),
  (SELECT n.id FROM puser n WHERE n.conn = :conn AND n.ext = :ext));

-- name: names_taken
SELECT k.value, '', p.id, name_out(p.name), name_out(p.picture), p.kind FROM {each keys text} k
{pin puser p ON p.conn = :conn AND p.ext = k.value}
UNION ALL SELECT k.value, a.type, p.id, name_out(p.name), name_out(p.picture), p.kind FROM {each keys text} k
{pin alias a ON a.conn = :conn AND a.value = k.value} {pin puser p ON p.id = a.puser};

-- name: puser_by_alias
SELECT p.id, name_out(p.name), name_out(p.picture), 0, p.kind FROM alias a {pin puser p ON p.id = a.puser}
WHERE a.conn = :conn AND a.value = :value AND a.type = :type;

-- name: puser_by_any
SELECT p.id, name_out(p.name), name_out(p.picture), 0, p.kind FROM alias a {pin puser p ON p.id = a.puser}
WHERE a.conn = :conn AND a.value = :value ORDER BY a.type LIMIT 1;

-- name: puser_nameless
SELECT p.id, name_out(p.name), name_out(p.picture), 1, p.kind FROM alias a {pin puser p ON p.id = a.puser}
WHERE a.conn = :conn AND a.value = :value AND a.type = :type AND p.named = 0;

-- name: puser_named
UPDATE puser SET ext = :ext, address = :ext, named = 1 WHERE id = :id AND named = 0;

-- name: puser_is_named
UPDATE puser SET named = 1 WHERE id = :id AND named = 0;

-- name: puser_is_place
UPDATE puser SET kind = :kind WHERE id = :id AND kind = 'person';

-- name: profile_of_place
UPDATE profile SET kind = :kind WHERE puser = :id;

-- name: puser_profile
UPDATE puser SET name = coalesce(name_in(:name), name), picture = coalesce(name_in(:picture), picture) WHERE id = :id;

-- name: puser_address
UPDATE puser SET address = :address WHERE id = :id;

-- name: puser_address_newest
UPDATE puser SET address = :address WHERE id = :id AND address <> :address;

-- name: pusers_spelt
SELECT id, ext, kind FROM puser WHERE conn = :conn AND ext > :after AND kind <> 'system' ORDER BY ext LIMIT :limit;

-- name: puser_respell
UPDATE puser SET address = CASE WHEN address = ext THEN :ext ELSE address END, ext = :ext WHERE id = :id;

-- name: meta_noted
SELECT value FROM meta WHERE name = :name;

-- name: meta_note
INSERT INTO meta(name, value) VALUES (:name, 1) ON CONFLICT (name) DO NOTHING;

-- name: puser_displaced
UPDATE puser SET address = (SELECT min(a.value) FROM alias a WHERE a.puser = :id AND a.type = :decisive)
WHERE id = :id AND address = :address AND EXISTS (SELECT 1 FROM alias a WHERE a.puser = :id AND a.type = :decisive);

-- name: person_name
UPDATE person SET name = name_in(:name) WHERE id = (SELECT person FROM puser WHERE id = :puser) AND name IS NULL;

-- name: alias_add
INSERT INTO alias(conn, value, type, puser) VALUES (:conn, :value, :type, :puser)
ON CONFLICT (conn, value, type) DO NOTHING;

-- name: alias_move
INSERT INTO alias(conn, value, type, puser) VALUES (:conn, :value, :type, :puser)
ON CONFLICT (conn, value, type) DO UPDATE SET puser = excluded.puser;

-- name: puser_key
SELECT id FROM puser WHERE uid = :uid AND id >= :lo AND id < :hi;

-- name: person_key
SELECT id FROM person WHERE uid = :uid AND id >= :lo AND id < :hi;

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

-- name: moved_by
SELECT puser, previous, current FROM moved WHERE event = :event ORDER BY puser;

-- name: merge_of
SELECT e.seq FROM edge g JOIN event e ON e.seq = g.src
WHERE g.dst = :person AND g.type = :source_user AND e.type = :merged ORDER BY e.seq DESC LIMIT 1;

-- name: person_facts
SELECT id, uid, system, merged_into FROM person WHERE id = :id;

-- name: puser_facts
SELECT p.id, p.uid, p.person, p.conn, p.kind FROM puser p WHERE p.id = :id;

-- name: link_code_add
INSERT INTO link_code(hash, event, puser, expires, max_uses, confirms, activator)
VALUES (:hash, :event, :puser, :expires, :max_uses, :confirms, :activator) ON CONFLICT (hash) DO NOTHING;

-- name: link_code_by_hash
SELECT event, puser, expires, uses, max_uses, confirms, activator FROM link_code WHERE hash = :hash;

-- name: link_code_by_event
SELECT event, puser, expires, uses, max_uses, confirms, activator FROM link_code WHERE event = :event;

-- name: link_codes_given
SELECT 1 FROM link_code WHERE event >= :lo AND event < :hi LIMIT 1;

-- name: link_code_use
UPDATE link_code SET uses = uses + 1 WHERE event = :event;

-- name: link_code_spend
UPDATE link_code SET uses = max_uses
WHERE hash = :hash AND confirms IS NULL AND uses < max_uses AND event >= :lo AND event < :hi;

-- name: link_limit_get
SELECT since, attempts FROM link_limit WHERE app = :app;

-- name: link_limit_set
INSERT INTO link_limit(app, since, attempts) VALUES (:app, :since, :attempts)
ON CONFLICT (app) DO UPDATE SET since = excluded.since, attempts = excluded.attempts;

-- name: link_attempt_get
SELECT since, attempts FROM link_attempt WHERE puser = :puser;

-- name: link_attempt_set
INSERT INTO link_attempt(puser, since, attempts) VALUES (:puser, :since, :attempts)
ON CONFLICT (puser) DO UPDATE SET since = excluded.since, attempts = excluded.attempts;

-- name: link_attempt_drop
DELETE FROM link_attempt WHERE puser = :puser;

-- name: profile_due
SELECT i.puser, i.conn, i.kind, p.ext, p.address, name_out(p.name), i.fetched_at, i.attempt, i.picture, i.version,
  (SELECT max(e.created_at) FROM event e WHERE e.seq IN (
    (SELECT max(g.src) FROM edge g WHERE g.dst = p.id AND g.type = :sent_by),
    (SELECT max(g.src) FROM edge g WHERE g.dst = p.id AND g.type = :sent_to)))
FROM {each keys} c
{pin (SELECT 'person' AS name UNION ALL SELECT 'group' UNION ALL SELECT 'channel') k ON true}
{pin profile i ON i.puser IN (
  SELECT d.puser FROM profile d WHERE d.conn = c.value AND d.kind = k.name AND d.due <= :now
    AND (d.lease_until IS NULL OR d.lease_until <= :now) ORDER BY d.due LIMIT :each)}
{pin puser p ON p.id = i.puser}
WHERE NOT EXISTS (SELECT 1 FROM profile_pause q WHERE q.conn = c.value AND q.kind = k.name AND q.until > :now);

-- name: profile_any
SELECT 1 FROM {each keys} c
{pin (SELECT 'person' AS name UNION ALL SELECT 'group' UNION ALL SELECT 'channel') k ON true}
WHERE EXISTS (SELECT 1 FROM profile d WHERE d.conn = c.value AND d.kind = k.name AND d.due <= :now
    AND (d.lease_until IS NULL OR d.lease_until <= :now))
  AND NOT EXISTS (SELECT 1 FROM profile_pause q WHERE q.conn = c.value AND q.kind = k.name AND q.until > :now)
LIMIT 1;

-- name: profile_lease
UPDATE profile SET lease_until = :until, lease_owner = :owner, lease_token = :token
WHERE puser {in keys} AND due <= :now AND (lease_until IS NULL OR lease_until <= :now)
RETURNING puser, attempt, picture, version;

-- name: profile_put_off
UPDATE profile SET due = :due
WHERE puser {in keys} AND due <= :now AND (lease_until IS NULL OR lease_until <= :now) RETURNING puser;

-- name: profile_release_all
UPDATE profile SET lease_until = NULL, lease_owner = NULL, lease_token = NULL WHERE lease_owner = :owner;

-- name: profile_learnt
UPDATE profile SET due = :due, fetched_at = :now, attempt = 0, error = NULL, picture = :picture, version = :version,
  lease_until = NULL, lease_owner = NULL, lease_token = NULL
WHERE puser = :puser AND lease_token = :token AND due IS NOT NULL;

-- name: profile_later
UPDATE profile SET due = :due, attempt = :attempt, error = coalesce(raw_in(:error), error),
  lease_until = NULL, lease_owner = NULL, lease_token = NULL
WHERE puser = :puser AND lease_token = :token AND due IS NOT NULL;

-- name: profile_error
SELECT raw_out(error) FROM profile WHERE puser = :puser;

-- name: profile_paused
SELECT reason FROM profile_pause WHERE conn = :conn AND kind = :kind;

-- name: profile_pause
INSERT INTO profile_pause(conn, kind, until, reason) VALUES (:conn, :kind, :until, :reason)
ON CONFLICT (conn, kind) DO UPDATE SET until = excluded.until, reason = excluded.reason;

-- name: profile_unpause
DELETE FROM profile_pause WHERE conn = :conn AND kind = :kind;

-- name: profile_unpause_all
DELETE FROM profile_pause WHERE conn = :conn;

-- name: profiles_anew
UPDATE profile SET due = 0 WHERE due IS NOT NULL AND puser >= :lo AND puser < :hi;

-- name: profile_picture
SELECT picture FROM profile WHERE puser = :puser AND picture IS NOT NULL;

-- name: profile_portray
UPDATE profile SET picture = :picture, version = :version WHERE puser = :puser;

-- name: profile_erase
INSERT INTO profile(puser, conn, kind, due) SELECT p.id, p.conn, p.kind, NULL FROM puser p WHERE p.id = :puser
ON CONFLICT (puser) DO UPDATE SET due = NULL, fetched_at = NULL, error = NULL, picture = NULL, version = NULL,
  lease_until = NULL, lease_owner = NULL, lease_token = NULL;
