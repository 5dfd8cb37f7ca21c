-- Work is looked for connection by connection, so that one with much to do does not hide the others.
CREATE INDEX outbox_conn ON outbox(conn, due) WHERE waits = 0;
