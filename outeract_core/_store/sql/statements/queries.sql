-- What the compiler of filters asks.

-- name: all_kinds
SELECT id, name FROM kind;

-- name: connections_of_app
SELECT id, uid, platform, name FROM connection WHERE app = :app;
