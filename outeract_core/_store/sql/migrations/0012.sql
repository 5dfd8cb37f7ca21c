-- The handlers that an application is known to have, by name: nothing up to `position` is for them.
-- `joined`: it follows the cursor. `left_behind`: so many of the newest events before `position` it
-- would have wanted; `older`: there are events before those that were counted.
CREATE TABLE enrolled(
  app INTEGER NOT NULL, handler TEXT NOT NULL, position INTEGER NOT NULL,
  joined INTEGER NOT NULL CHECK(joined IN (0, 1)), left_behind INTEGER NOT NULL,
  older INTEGER NOT NULL CHECK(older IN (0, 1)), at INTEGER NOT NULL,
  PRIMARY KEY(app, handler)) STRICT, WITHOUT ROWID;
-- Where handlers have run that nobody has noted: whoever comes next goes on where they have stopped.
INSERT INTO enrolled(app, handler, position, joined, left_behind, older, at)
SELECT app, '', position, 1, 0, 0, 0 FROM cursor WHERE name = 'handlers';
