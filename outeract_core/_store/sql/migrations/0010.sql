-- Who holds rows of the outbox, found without looking at those that nobody holds.
CREATE INDEX outbox_lease ON outbox(lease_owner) WHERE lease_owner IS NOT NULL;
