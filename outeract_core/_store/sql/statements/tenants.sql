-- Organisations, applications, connections.

-- name: organisation_add
INSERT INTO organisation(uid, name, created_at) VALUES (:uid, :name, :now) ON CONFLICT (name) DO NOTHING;

-- name: organisation_by_name
SELECT id, uid, name, created_at FROM organisation WHERE name = :name;

-- name: application_add
INSERT INTO application(uid, organisation, name, config, created_at)
VALUES (:uid, :organisation, :name, :config, :now) ON CONFLICT (organisation, name) DO NOTHING;

-- name: application_by_name
SELECT a.id, a.uid, o.uid, a.name, a.config, a.system_person, a.created_at
FROM application a JOIN organisation o ON o.id = a.organisation
WHERE a.organisation = :organisation AND a.name = :name;

-- name: applications
SELECT a.id, a.name, o.name FROM application a JOIN organisation o ON o.id = a.organisation
WHERE a.id NOT IN (SELECT app FROM importing) ORDER BY a.id;

-- name: application_system
UPDATE application SET system_person = :person WHERE id = :app;

-- name: application_config
UPDATE application SET config = :config WHERE id = :app;

-- name: connection_add
INSERT INTO connection(uid, app, platform, name, account, config, status, system_puser,
                       webhook_id, created_at)
VALUES (:uid, :app, :platform, :name, :account, :config, 'active', :system_puser,
        :webhook_id, :now);

-- name: connection_change
UPDATE connection SET account = :account, config = :config WHERE id = :id;

-- name: connection_status
UPDATE connection SET status = :status WHERE id = :id AND status NOT IN (:status, 'disabled');

-- name: connection_enable
UPDATE connection SET status = CASE status WHEN 'disabled' THEN 'active' ELSE status END
WHERE id = :id AND config = :config;

-- name: connection_system
UPDATE connection SET system_puser = :puser WHERE id = :id;

-- name: connection_by_name
SELECT c.id, c.uid, c.app, a.uid, c.platform, c.name, c.account, c.config, c.status, c.system_puser,
       c.webhook_id, c.webhook_version, c.created_at, a.config
FROM connection c JOIN application a ON a.id = c.app
WHERE c.app = :app AND c.platform = :platform AND c.name = :name;

-- name: connections
SELECT c.id, c.uid, c.app, a.uid, c.platform, c.name, c.account, c.config, c.status, c.system_puser,
       c.webhook_id, c.webhook_version, c.created_at, a.config
FROM connection c JOIN application a ON a.id = c.app
WHERE c.app NOT IN (SELECT app FROM importing) ORDER BY c.id;

-- name: connection_by_webhook
SELECT id FROM connection
WHERE webhook_id = :webhook_id AND app NOT IN (SELECT app FROM importing);

-- name: connection_by_account
SELECT id FROM connection WHERE platform = :platform AND account = :account AND status <> 'disabled'
  AND app NOT IN (SELECT app FROM importing) LIMIT 1;

-- name: connection_there
SELECT id FROM connection WHERE id = :id AND app NOT IN (SELECT app FROM importing);

-- name: poll_cursor
SELECT poll_cursor FROM connection WHERE id = :conn;

-- name: poll_cursor_set
UPDATE connection SET poll_cursor = :cursor WHERE id = :conn;

-- name: connection_pin
UPDATE connection SET account = :account WHERE id = :id AND account IS NULL;

-- name: foreign_add
INSERT INTO foreign_delivery(digest, platform, reason, since, at, count)
VALUES (:digest, :platform, :reason, :now, :now, 1)
ON CONFLICT (digest) DO UPDATE SET at = excluded.at, reason = excluded.reason, count = foreign_delivery.count + 1;

-- name: foreign_prune
DELETE FROM foreign_delivery WHERE id <= (SELECT max(id) FROM foreign_delivery) - :keep;

-- name: foreign_counts
SELECT platform, reason, count(*), sum(count), max(at) FROM foreign_delivery GROUP BY platform, reason ORDER BY 5 DESC;

-- name: account_held_by
SELECT c.id, c.name, a.name, o.name FROM account_holder h JOIN connection c ON c.id = h.conn
JOIN application a ON a.id = c.app JOIN organisation o ON o.id = a.organisation WHERE h.digest = :digest;

-- name: account_held
SELECT digest FROM account_holder WHERE conn = :conn;

-- name: account_hold
INSERT INTO account_holder(digest, conn) VALUES (:digest, :conn)
ON CONFLICT (digest) DO UPDATE SET conn = excluded.conn;

-- name: account_let_go
DELETE FROM account_holder WHERE conn = :conn;

-- name: account_key
SELECT value FROM meta WHERE name = :name;

-- name: webhook_door
SELECT webhook_version, webhook_until, webhook_old FROM connection WHERE id = :id;

-- name: webhook_rotate
UPDATE connection SET webhook_version = webhook_version + 1, webhook_until = :until,
  webhook_old = CASE WHEN webhook_until IS NULL THEN webhook_old END WHERE id = :id;

-- name: key_mark
SELECT k.value, w.value FROM meta k JOIN meta w ON w.name = 'key_of' WHERE k.name = 'key_mark';

-- name: key_mark_set
INSERT INTO meta(name, value) VALUES ('key_mark', :value), ('key_of', :whose)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;
