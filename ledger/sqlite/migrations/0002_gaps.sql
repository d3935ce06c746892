-- What the last run over each cloud found not to be enforced, and since when.

CREATE TABLE gaps (
    cloud   TEXT    NOT NULL, -- as the configuration names it; empty when it is the only one
    target  TEXT    NOT NULL,
    subject TEXT    NOT NULL, -- a prefix or a declared rule
    since   INTEGER NOT NULL,
    PRIMARY KEY (cloud, target, subject)
) STRICT, WITHOUT ROWID;
