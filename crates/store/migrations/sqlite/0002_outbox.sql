-- What was decided to be said never changes (outbox); where it stands does, and is narrow (delivery).

CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    message    TEXT NOT NULL,
    shard      INTEGER NOT NULL REFERENCES shard (id),
    account    TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    addresses  TEXT NOT NULL,
    outgoing   TEXT NOT NULL
);
CREATE UNIQUE INDEX outbox_message ON outbox (message);

CREATE TABLE delivery (
    id          INTEGER PRIMARY KEY REFERENCES outbox (id),
    shard       INTEGER NOT NULL,
    state       TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    ready_at    INTEGER NOT NULL,
    expires_at  INTEGER,
    claim       INTEGER NOT NULL DEFAULT 0,
    claim_epoch INTEGER NOT NULL DEFAULT 0,
    claimed_at  INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    detail      TEXT NOT NULL DEFAULT '',
    updated_at  INTEGER NOT NULL
);
CREATE INDEX delivery_ready ON delivery (shard, priority, ready_at) WHERE state IN ('queued', 'deferred');
CREATE INDEX delivery_expiring ON delivery (shard, expires_at) WHERE state IN ('queued', 'deferred') AND expires_at IS NOT NULL;
CREATE INDEX delivery_claimed ON delivery (shard, claim_epoch) WHERE state = 'claimed';

CREATE TABLE attempt (
    delivery   INTEGER NOT NULL REFERENCES delivery (id),
    n          INTEGER NOT NULL,
    claim      INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT,
    detail     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (delivery, n)
) WITHOUT ROWID;

-- What became of a message for good; `position` is its place in the log once a fact tells it.
CREATE TABLE fate (
    id       INTEGER PRIMARY KEY,
    delivery INTEGER NOT NULL REFERENCES delivery (id),
    state    TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    position INTEGER
);

-- There is always a row to lock before something is handed over to an address.
CREATE TABLE address (
    key        BLOB PRIMARY KEY,
    gate_epoch INTEGER NOT NULL DEFAULT 0,
    scopes     TEXT NOT NULL DEFAULT '[]',
    sent       INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- What captured mode kept instead of sending.
CREATE TABLE captured (
    id       INTEGER PRIMARY KEY,
    message  TEXT NOT NULL UNIQUE,
    at       INTEGER NOT NULL,
    channel  TEXT NOT NULL,
    whom     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    body     BLOB NOT NULL
);
