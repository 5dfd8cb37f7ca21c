-- What no part of the library writes, whatever program has the file open. SQLite adds no CHECK to a table that
-- is there, so these are triggers; events and edges, of which there are millions, have none (decision 42).
CREATE TRIGGER kind_is_a_name BEFORE INSERT ON kind
WHEN length(NEW.name) NOT BETWEEN 1 AND 1000 OR NEW.name GLOB '*[^a-z0-9_.]*'
BEGIN SELECT RAISE(ABORT, 'event and edge types are named with a-z, 0-9, _ and .'); END;
CREATE TRIGGER file_is_one BEFORE INSERT ON file
WHEN length(NEW.uid) <> 16 OR NEW.size < 0 OR NEW.attempt < 0
  OR NEW.status NOT IN ('pending', 'stored', 'failed', 'erased')
BEGIN SELECT RAISE(ABORT, 'a file has an id of 16 bytes, a size from 0 and a status'); END;
CREATE TRIGGER file_stays_one BEFORE UPDATE OF size, status, attempt ON file
WHEN NEW.size < 0 OR NEW.attempt < 0 OR NEW.status NOT IN ('pending', 'stored', 'failed', 'erased')
BEGIN SELECT RAISE(ABORT, 'a file has a size from 0 and a status'); END;
