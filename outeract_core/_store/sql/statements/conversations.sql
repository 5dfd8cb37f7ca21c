-- The conversation projection.

-- name: entry_add
INSERT INTO entry(peer, event) VALUES (:peer, :event);

-- name: conversation_inbound
INSERT INTO conversation(peer, last, inbound, outbound, unread, read_upto, conn)
VALUES (:peer, :event, :inbound, 0, :unread, 0, :conn)
ON CONFLICT (peer) DO UPDATE SET last = excluded.last,
  inbound = conversation.inbound + excluded.inbound, unread = conversation.unread + excluded.unread;

-- name: conversation_outbound
INSERT INTO conversation(peer, last, inbound, outbound, unread, read_upto, conn)
VALUES (:peer, :event, 0, :outbound, 0, 0, :conn)
ON CONFLICT (peer) DO UPDATE SET last = excluded.last, outbound = conversation.outbound + excluded.outbound;

-- name: participant_add
INSERT INTO participant(peer, puser, messages) VALUES (:peer, :puser, :messages)
ON CONFLICT (peer, puser) DO UPDATE SET messages = participant.messages + excluded.messages;

-- name: conversation_read
UPDATE conversation SET read_upto = :upto,
  unread = (SELECT count(*) FROM entry n JOIN event e ON e.seq = n.event
            WHERE n.peer = :peer AND n.event > :upto AND e.type = :inbound)
WHERE peer = :peer AND read_upto < :upto;

-- name: conversation_row
SELECT peer, last, inbound, outbound, unread, read_upto FROM conversation WHERE peer = :peer;
