-- Downloads are looked for connection by connection, so that a slow server does not hide the others.
CREATE INDEX file_conn ON file(conn, due) WHERE due IS NOT NULL;
