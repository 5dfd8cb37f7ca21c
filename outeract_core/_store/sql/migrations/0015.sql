-- The name of bytes is their SHA-256: whatever else is written there, by whatever program, names nothing.
UPDATE file SET sha256 = lower(sha256) WHERE sha256 IS NOT NULL AND status <> 'stored';
UPDATE file SET sha256 = NULL
WHERE status <> 'stored' AND (length(sha256) <> 64 OR sha256 GLOB '*[^0-9a-f]*');
CREATE TRIGGER file_digest BEFORE INSERT ON file
WHEN NEW.sha256 IS NOT NULL AND (length(NEW.sha256) <> 64 OR NEW.sha256 GLOB '*[^0-9a-f]*')
BEGIN SELECT RAISE(ABORT, 'a file is named by its SHA-256 in hexadecimal'); END;
CREATE TRIGGER file_digest_change BEFORE UPDATE OF sha256 ON file
WHEN NEW.sha256 IS NOT NULL AND (length(NEW.sha256) <> 64 OR NEW.sha256 GLOB '*[^0-9a-f]*')
BEGIN SELECT RAISE(ABORT, 'a file is named by its SHA-256 in hexadecimal'); END;
