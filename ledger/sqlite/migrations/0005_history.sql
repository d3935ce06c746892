-- What the commands about the past ask for, and what deletes it in the end.

CREATE TABLE numbered_plans (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    cloud      TEXT    NOT NULL,
    started_at INTEGER,
    author     TEXT    NOT NULL,
    steps      INTEGER NOT NULL,
    detail     TEXT    CHECK (detail IS NULL OR json_valid(detail))
) STRICT;
INSERT INTO numbered_plans (id, cloud, started_at, author, steps)
    SELECT id, '', started_at, author, steps FROM plans ORDER BY started_at, rowid;
DROP TABLE plans;
ALTER TABLE numbered_plans RENAME TO plans;
CREATE INDEX plans_by_time ON plans (started_at);

ALTER TABLE journal ADD COLUMN request_id TEXT NOT NULL DEFAULT '';
CREATE INDEX journal_by_time ON journal (at);

DROP INDEX decisions_by_prefix;
CREATE INDEX decisions_by_prefix ON decisions (prefix_key, verdict);
CREATE INDEX decisions_revoked ON decisions (revoked_at) WHERE revoked_at IS NOT NULL;
