-- The secret of a webhook's address is no longer here: it follows from the key that lies beside the file
-- or is the host's, the webhook's id and `webhook_version`. `webhook_until`: until when the version before
-- is taken too; NULL: it was never changed. `webhook_old`: SHA-256, in hexadecimal, of the secret that an
-- earlier library has made: its address goes on working until it is changed, and cannot be read here.
ALTER TABLE connection ADD COLUMN webhook_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE connection ADD COLUMN webhook_until INTEGER;
ALTER TABLE connection ADD COLUMN webhook_old TEXT;
UPDATE connection SET webhook_old = sha256_hex(webhook_secret);
ALTER TABLE connection DROP COLUMN webhook_secret;
