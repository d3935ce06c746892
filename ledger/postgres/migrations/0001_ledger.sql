-- Times are milliseconds since 1970 in UTC; NULL is the zero time.

CREATE TABLE decisions (
    id            bigint PRIMARY KEY,
    verdict       text   NOT NULL CHECK (verdict IN ('block', 'allow')),
    prefix        text   NOT NULL, -- canonical CIDR
    prefix_key    bytea  NOT NULL, -- the same, in an order that SQL can compare
    starts        bigint,
    ends          bigint,          -- NULL: until revoked
    reason        text   NOT NULL,
    author        text   NOT NULL,
    rule          text   NOT NULL,
    attempt       bigint NOT NULL,
    score         bigint NOT NULL,
    hits          bigint NOT NULL,
    first_seen    bigint,
    last_seen     bigint,
    evidence      text,            -- JSON
    revoked_at    bigint,
    revoked_by    text   NOT NULL,
    revoke_reason text   NOT NULL
);
-- The numbers are taken before the rows are copied in.
CREATE SEQUENCE decision_ids OWNED BY decisions.id;

-- History grows without end, what is in force does not.
CREATE INDEX decisions_in_force ON decisions (coalesce(ends, 9223372036854775807))
    WHERE revoked_at IS NULL;
CREATE INDEX decisions_by_prefix ON decisions (prefix_key, verdict)
    WHERE revoked_at IS NULL;

-- Each instance reads its own logs.
CREATE TABLE positions (
    instance text NOT NULL,
    source   text NOT NULL,
    position text NOT NULL, -- JSON
    PRIMARY KEY (instance, source)
);

CREATE TABLE windows (
    instance text  PRIMARY KEY,
    state    bytea NOT NULL
);

CREATE TABLE plans (
    id         text   PRIMARY KEY,
    started_at bigint,
    author     text   NOT NULL,
    steps      bigint NOT NULL
);

CREATE TABLE journal (
    seq        bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id    text    NOT NULL,
    step       bigint  NOT NULL CHECK (step >= 1),
    at         bigint  NOT NULL,
    op         text    NOT NULL,
    subject    text    NOT NULL,
    outcome    text    NOT NULL,
    open       boolean NOT NULL, -- started, outcome unknown
    settled_at bigint -- when a later run closed it by reading the cloud again
);
CREATE INDEX journal_by_plan ON journal (plan_id, step);
CREATE INDEX journal_open ON journal (seq) WHERE open;

-- What the last run over each cloud found not to be enforced, and since when.
CREATE TABLE gaps (
    cloud   text   NOT NULL, -- as the configuration names it; empty when it is the only one
    target  text   NOT NULL,
    subject text   NOT NULL, -- a prefix or a declared rule
    since   bigint NOT NULL,
    PRIMARY KEY (cloud, target, subject)
);
