-- The writer lease: the lock file beside the ledger says whether it is held, this row
-- by whom, so that a holder whose lock file was taken away is told apart.

CREATE TABLE lease (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    token  INTEGER NOT NULL, -- rises with every holder
    nonce  TEXT    NOT NULL, -- of this holder alone, also in a restored backup; empty: given back
    holder TEXT    NOT NULL
) STRICT;
INSERT INTO lease VALUES (1, 0, '', '');
