-- What stops messages to an address, and what was lifted again: nothing is ever taken out or changed. What is in force
-- now also stands in `address.scopes`, where the gate reads it with the row that it locks.

CREATE TABLE suppression (
    id        INTEGER PRIMARY KEY,
    address   BLOB NOT NULL REFERENCES address (key),
    is_lifted INTEGER NOT NULL,
    scope     TEXT NOT NULL,
    reason    TEXT NOT NULL,
    proof     TEXT NOT NULL,
    at        INTEGER NOT NULL,
    until     INTEGER
);
CREATE INDEX suppression_address ON suppression (address, id);
CREATE TRIGGER suppression_is_kept BEFORE DELETE ON suppression
    BEGIN SELECT raise(ABORT, 'what was said no to is never forgotten'); END;
CREATE TRIGGER suppression_is_as_it_was BEFORE UPDATE OF address, is_lifted, scope, reason, at, until ON suppression
    BEGIN SELECT raise(ABORT, 'what was said no to never changes'); END;

-- The logs that were told of an address: what is lifted is told there too.
CREATE TABLE told (
    address BLOB NOT NULL REFERENCES address (key),
    account TEXT NOT NULL,
    contact TEXT NOT NULL,
    PRIMARY KEY (address, account, contact)
) WITHOUT ROWID;

-- On which ground an address is written to: each row is a proof.
CREATE TABLE consent (
    id      INTEGER PRIMARY KEY,
    address BLOB NOT NULL REFERENCES address (key),
    basis   TEXT NOT NULL,
    who     TEXT NOT NULL,
    how     TEXT NOT NULL,
    wording TEXT NOT NULL,
    at      INTEGER NOT NULL,
    until   INTEGER
);
CREATE INDEX consent_address ON consent (address, id);

-- Hand-overs that count towards the cap of an address, given back if nothing was sent.
CREATE TABLE counted (
    address  BLOB NOT NULL,
    at       INTEGER NOT NULL,
    delivery INTEGER NOT NULL,
    PRIMARY KEY (address, at, delivery)
) WITHOUT ROWID;
CREATE INDEX counted_delivery ON counted (delivery);
