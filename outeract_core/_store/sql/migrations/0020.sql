-- An erasure also takes single values out of what others have said: rows with `raw_only` 2. The update
-- that they allow leaves a value as it was, or marks it; it adds no member and takes none from the top.
CREATE TABLE erased(
  event INTEGER NOT NULL, raw_only INTEGER NOT NULL CHECK(raw_only IN (0, 1, 2)), by INTEGER NOT NULL,
  PRIMARY KEY(event, raw_only)) STRICT, WITHOUT ROWID;
INSERT INTO erased SELECT event, raw_only, by FROM erasure;
DROP TRIGGER event_no_update;
DROP TABLE erasure;
ALTER TABLE erased RENAME TO erasure;
CREATE TRIGGER erasure_needs_its_event BEFORE INSERT ON erasure
WHEN NOT EXISTS (SELECT 1 FROM event e JOIN kind k ON k.id = e.type
                 WHERE e.seq = NEW.by AND NEW.by > NEW.event AND NEW.by >> 40 = NEW.event >> 40
                 AND (k.name = 'system.retention_applied' AND NEW.raw_only <> 2
                      OR k.name = 'user.erased' AND NEW.raw_only <> 1))
BEGIN SELECT RAISE(ABORT, 'an erasure must name a later user.erased or system.retention_applied event of the same application'); END;
CREATE TRIGGER erasure_spares_its_kind BEFORE INSERT ON erasure
WHEN EXISTS (SELECT 1 FROM event e JOIN kind k ON k.id = e.type
             WHERE e.seq = NEW.event AND k.name IN ('user.erased', 'system.retention_applied'))
BEGIN SELECT RAISE(ABORT, 'what was erased by what stays readable: such events are immutable'); END;
CREATE TRIGGER erasure_no_update BEFORE UPDATE ON erasure
BEGIN SELECT RAISE(ABORT, 'erasures are immutable'); END;
CREATE TRIGGER erasure_no_delete BEFORE DELETE ON erasure
BEGIN SELECT RAISE(ABORT, 'erasures are immutable'); END;
CREATE TRIGGER event_no_update BEFORE UPDATE ON event
WHEN NOT (NEW.seq IS OLD.seq AND NEW.id IS OLD.id AND NEW.conn IS OLD.conn
          AND NEW.type IS OLD.type AND NEW.occurred_at IS OLD.occurred_at
          AND NEW.created_at IS OLD.created_at AND NEW.dk IS OLD.dk
          AND (NEW.raw IS NULL AND NEW.payload IS '{"erased":true}'
               AND EXISTS (SELECT 1 FROM erasure WHERE event = OLD.seq AND raw_only = 0)
            OR NEW.raw IS NULL AND NEW.payload IS OLD.payload AND OLD.raw IS NOT NULL
               AND EXISTS (SELECT 1 FROM erasure WHERE event = OLD.seq AND raw_only = 1)
            OR EXISTS (SELECT 1 FROM erasure WHERE event = OLD.seq AND raw_only = 2)
               AND (NEW.payload IS NOT OLD.payload OR NEW.raw IS NOT OLD.raw)
               AND (NEW.payload IS OLD.payload
                    OR (SELECT count(*) FROM json_each(NEW.payload)) = (SELECT count(*) FROM json_each(OLD.payload))
                   AND NOT EXISTS (SELECT 1 FROM json_tree(NEW.payload) n WHERE n.atom IS NOT NULL
                     AND instr(n.atom, '[erased]') = 0 AND n.atom IS NOT (OLD.payload ->> n.fullkey)))
               AND (NEW.raw IS OLD.raw OR NEW.raw IS NULL
                    OR (SELECT count(*) FROM json_each(NEW.raw)) = (SELECT count(*) FROM json_each(OLD.raw))
                   AND NOT EXISTS (SELECT 1 FROM json_tree(NEW.raw) n WHERE n.atom IS NOT NULL
                     AND instr(n.atom, '[erased]') = 0 AND n.atom IS NOT (OLD.raw ->> n.fullkey)))))
BEGIN SELECT RAISE(ABORT, 'events are immutable'); END;
