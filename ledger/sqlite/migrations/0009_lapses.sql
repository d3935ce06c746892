-- Whether the firewall itself shall end a block, where it can.

ALTER TABLE decisions ADD COLUMN lapses INTEGER NOT NULL DEFAULT 0;
