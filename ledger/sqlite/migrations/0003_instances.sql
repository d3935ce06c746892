-- Each instance reads its own logs. What there was belongs to the instance without a name.

CREATE TABLE instance_positions (
    instance TEXT NOT NULL,
    source   TEXT NOT NULL,
    position TEXT NOT NULL CHECK (json_valid(position)),
    PRIMARY KEY (instance, source)
) STRICT, WITHOUT ROWID;
INSERT INTO instance_positions SELECT '', source, position FROM positions;
DROP TABLE positions;
ALTER TABLE instance_positions RENAME TO positions;

CREATE TABLE instance_windows (
    instance TEXT PRIMARY KEY,
    state    BLOB NOT NULL
) STRICT;
INSERT INTO instance_windows SELECT '', state FROM windows;
DROP TABLE windows;
ALTER TABLE instance_windows RENAME TO windows;
