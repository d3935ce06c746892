-- What people started: overlays of rules with an end.

CREATE TABLE incidents (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text   NOT NULL,
    started_at bigint NOT NULL,
    ended_at   bigint, -- NULL: it has not ended
    body       text   NOT NULL -- JSON
);
CREATE UNIQUE INDEX incidents_running ON incidents (name) WHERE ended_at IS NULL;
