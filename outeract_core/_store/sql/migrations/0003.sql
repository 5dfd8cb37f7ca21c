-- A claim is fenced by its own token; what a part has come to is kept by the part.

-- lease_token: the claim that holds the row. arrives: until when the request that was begun last may
-- still arrive. looks: how often it was asked in vain what became of it.
ALTER TABLE outbox ADD COLUMN lease_token INTEGER;
ALTER TABLE outbox ADD COLUMN arrives INTEGER;
ALTER TABLE outbox ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;
-- Downloads are leased as messages are.
ALTER TABLE file ADD COLUMN lease_until INTEGER;
ALTER TABLE file ADD COLUMN lease_owner TEXT;
ALTER TABLE file ADD COLUMN lease_token INTEGER;
CREATE INDEX file_lease ON file(lease_owner) WHERE lease_owner IS NOT NULL;
-- What a part of a message has come to without a receipt: unknown, failed, cancelled.
CREATE TABLE part(
  event INTEGER NOT NULL, part INTEGER NOT NULL, status TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(event, part)) STRICT, WITHOUT ROWID;
