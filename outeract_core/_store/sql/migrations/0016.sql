-- How many link codes that nobody was given were tried in an application, and since when.
CREATE TABLE link_limit(
  app INTEGER PRIMARY KEY, since INTEGER NOT NULL, attempts INTEGER NOT NULL) STRICT;
