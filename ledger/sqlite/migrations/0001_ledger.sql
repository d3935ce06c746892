-- Times are milliseconds since 1970 in UTC; NULL is the zero time.

CREATE TABLE decisions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    verdict       TEXT    NOT NULL CHECK (verdict IN ('block', 'allow')),
    prefix        TEXT    NOT NULL, -- canonical CIDR
    prefix_key    BLOB    NOT NULL, -- the same, in an order that SQL can compare
    starts        INTEGER,
    ends          INTEGER,          -- NULL: until revoked
    reason        TEXT    NOT NULL,
    author        TEXT    NOT NULL,
    rule          TEXT    NOT NULL,
    attempt       INTEGER NOT NULL,
    score         INTEGER NOT NULL,
    hits          INTEGER NOT NULL,
    first_seen    INTEGER,
    last_seen     INTEGER,
    evidence      TEXT    CHECK (evidence IS NULL OR json_valid(evidence)),
    revoked_at    INTEGER,
    revoked_by    TEXT    NOT NULL,
    revoke_reason TEXT    NOT NULL
) STRICT;

-- History grows without end, what is in force does not.
CREATE INDEX decisions_in_force ON decisions (ifnull(ends, 9223372036854775807))
    WHERE revoked_at IS NULL;
CREATE INDEX decisions_by_prefix ON decisions (prefix_key, verdict)
    WHERE revoked_at IS NULL;

CREATE TABLE positions (
    source   TEXT PRIMARY KEY,
    position TEXT NOT NULL CHECK (json_valid(position))
) STRICT, WITHOUT ROWID;

CREATE TABLE windows (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    state BLOB    NOT NULL
) STRICT;

CREATE TABLE plans (
    id         TEXT    PRIMARY KEY,
    started_at INTEGER,
    author     TEXT    NOT NULL,
    steps      INTEGER NOT NULL
) STRICT;

CREATE TABLE journal (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    plan_id    TEXT    NOT NULL,
    step       INTEGER NOT NULL CHECK (step >= 1),
    at         INTEGER NOT NULL,
    op         TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    open       INTEGER NOT NULL CHECK (open IN (0, 1)), -- 1: started, outcome unknown
    settled_at INTEGER -- when a later run closed it by reading the cloud again
) STRICT;

CREATE INDEX journal_by_plan ON journal (plan_id, step);
CREATE INDEX journal_open ON journal (open) WHERE open = 1;
