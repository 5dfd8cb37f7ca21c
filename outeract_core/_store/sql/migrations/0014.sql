-- Whether the platform has told an id of theirs, or they were met by an alias alone. It is stated, not
-- concluded from what they are called by: an id may be handed to somebody else, and who had it stays
-- who they are. NULL: a line of an older export, until the import concludes it as it is done here.
ALTER TABLE puser ADD COLUMN named INTEGER DEFAULT 1 CHECK(named IN (0, 1));
UPDATE puser SET named = 0 WHERE EXISTS (SELECT 1 FROM alias o WHERE o.puser = puser.id AND o.value = puser.ext)
  AND NOT EXISTS (SELECT 1 FROM alias o WHERE o.puser = puser.id AND o.type IN ('address', 'external_id'));
