-- Whether the firewall itself shall end a block, where it can.

ALTER TABLE decisions ADD COLUMN lapses boolean NOT NULL DEFAULT false;
