-- The writer lease. Its times are those of this server, whatever the hosts' clocks say.

CREATE TABLE lease (
    id      boolean     PRIMARY KEY CHECK (id),
    token   bigint      NOT NULL, -- rises with every holder
    nonce   text        NOT NULL, -- of this holder alone, also in a restored backup; empty: given back
    holder  text        NOT NULL,
    since   timestamptz NOT NULL,
    expires timestamptz NOT NULL
);
INSERT INTO lease VALUES (true, 0, '', '', '-infinity', '-infinity');
