-- What a better parser has understood of a message can be found as its words can.
DROP VIEW search_text;
CREATE VIEW search_text(event, type, conn, text) AS
SELECT e.seq, e.type, e.conn,
  concat_ws(char(10), e.payload ->> '$.message.header', e.payload ->> '$.message.text',
    e.payload ->> '$.message.footer', e.payload ->> '$.message.location.name',
    e.payload ->> '$.message.location.address',
    CASE e.type WHEN (SELECT id FROM kind WHERE name = 'message.transcribed') THEN e.payload ->> '$.text' END)
FROM event e WHERE e.type IN (SELECT id FROM kind WHERE name IN
  ('message.inbound', 'message.outbound', 'message.edited', 'message.reparsed', 'message.transcribed'));
