-- What people started: overlays of rules with an end.

CREATE TABLE incidents (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER, -- NULL: it has not ended
    body       TEXT    NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE UNIQUE INDEX incidents_running ON incidents (name) WHERE ended_at IS NULL;
