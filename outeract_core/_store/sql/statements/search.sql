-- Full-text search. For SQLite only: FTS5 has no counterpart in other databases.

-- name: search_tokenizer
SELECT value FROM meta WHERE name = 'search';

-- name: search_tokenizer_set
INSERT INTO meta(name, value) VALUES ('search', :tokenizer)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: search_tokenizer_drop
DELETE FROM meta WHERE name = 'search';

-- name: search_events
SELECT coalesce(sum(events), 0),
  coalesce(sum(CASE WHEN app = :app AND upto > :after AND oldest < :before THEN events END), 0),
  coalesce(max(CASE WHEN app = :app THEN upto END), 0)
FROM search_span;

-- name: search_drop
DROP TABLE IF EXISTS search_index;

-- name: search_create_unicode61
CREATE VIRTUAL TABLE search_index USING fts5(text, place, sender, content = 'search_source',
  content_rowid = 'event', tokenize = 'unicode61 remove_diacritics 2');

-- name: search_create_trigram
CREATE VIRTUAL TABLE search_index USING fts5(text, place, sender, content = 'search_source',
  content_rowid = 'event', tokenize = 'trigram remove_diacritics 1');

-- name: search_secure
INSERT INTO search_index(search_index, rank) VALUES ('secure-delete', 1);

-- name: search_standing
SELECT (SELECT value FROM meta WHERE name = 'search'), coalesce((SELECT max(upto) FROM search_span WHERE app = :app), 0),
  coalesce((SELECT value FROM counter WHERE owner = :app), 0);

-- name: search_behind
SELECT c.owner, c.value - (coalesce((SELECT max(s.upto) FROM search_span s WHERE s.app = c.owner), 0)
                           & 1099511627775) AS behind
FROM counter c WHERE c.owner > 0 ORDER BY behind DESC LIMIT 1;

-- name: search_next
SELECT count(*), max(seq), min(occurred_at), max(occurred_at)
FROM (SELECT seq, occurred_at FROM event WHERE seq > :upto AND seq <= :head ORDER BY seq LIMIT :limit) t;

-- name: search_add
INSERT INTO search_index(rowid, text, place, sender)
SELECT event, text, place, sender FROM search_source WHERE event > :upto AND event <= :last ORDER BY event;

-- name: search_remove
INSERT INTO search_index(search_index, rowid, text, place, sender)
SELECT 'delete', s.event, s.text, s.place, s.sender
FROM {each keys} j {pin search_source s ON s.event = j.value}
WHERE s.event <= (SELECT max(p.upto) FROM search_span p WHERE p.app = s.event >> 40)
ORDER BY s.event;

-- name: search_span_last
SELECT upto, events, oldest, newest FROM search_span WHERE app = :app ORDER BY upto DESC LIMIT 1;

-- name: search_span_drop
DELETE FROM search_span WHERE app = :app AND upto = :upto;

-- name: search_spans_drop
DELETE FROM search_span;

-- name: search_span_add
INSERT INTO search_span(app, upto, events, oldest, newest)
VALUES (:app, :upto, :events, :oldest, :newest);

-- name: search_since
SELECT coalesce((SELECT max(b.upto) + 1 FROM search_span b WHERE b.app = :app AND b.upto < m.upto), 0)
FROM (SELECT min(upto) AS upto FROM search_span WHERE app = :app AND newest >= :since) m
WHERE m.upto IS NOT NULL;

-- name: search_until
SELECT max(upto) FROM search_span WHERE app = :app AND oldest < :until;

-- name: search_in_thread
SELECT src FROM edge WHERE dst = :root AND type = :thread ORDER BY src LIMIT :most;

-- name: search_about
SELECT e.seq FROM {each keys} j {pin edge o ON o.dst = j.value AND o.type = :origin} {pin event e ON e.seq = o.src}
WHERE e.type {in speaking} LIMIT :most;
