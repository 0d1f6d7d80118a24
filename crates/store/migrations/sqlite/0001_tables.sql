-- Times are whole nanoseconds since 1970 in UTC, so that what was decided can be replayed to the byte.
-- A place is shard * 2^40 + position in one integer: rows of one shard lie together, in order, under one narrow key.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE shard (
    id            INTEGER PRIMARY KEY,
    position      INTEGER NOT NULL DEFAULT 0,
    commits       INTEGER NOT NULL DEFAULT 0,
    commit_epoch  INTEGER NOT NULL DEFAULT 0,
    revision      INTEGER REFERENCES revision (id),
    revision_from INTEGER NOT NULL DEFAULT 0,
    now           INTEGER,
    journal_end   INTEGER NOT NULL DEFAULT 0,
    journal_hash  TEXT NOT NULL DEFAULT ''
);

CREATE TABLE log_end (
    shard    INTEGER PRIMARY KEY REFERENCES shard (id),
    position INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE lease (
    shard       INTEGER NOT NULL REFERENCES shard (id),
    role        TEXT NOT NULL CHECK (role IN ('decide', 'send')),
    owner       TEXT,
    epoch       INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (shard, role)
) WITHOUT ROWID;

-- The checked workspace, named by the hash of what it holds.
CREATE TABLE revision (
    id         INTEGER PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    bytes      BLOB NOT NULL,
    stored_at  INTEGER NOT NULL,
    applied_at INTEGER
);

CREATE TABLE fact (
    place      INTEGER PRIMARY KEY,
    arrived_at INTEGER NOT NULL,
    event      TEXT NOT NULL
);

CREATE TABLE account (
    id       INTEGER PRIMARY KEY,
    shard    INTEGER NOT NULL REFERENCES shard (id),
    account  TEXT NOT NULL,
    revision INTEGER NOT NULL,
    due_at   INTEGER,
    head     BLOB NOT NULL,
    UNIQUE (shard, account)
);

CREATE TABLE account_part (
    id      INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    part    TEXT NOT NULL,
    bytes   BLOB NOT NULL,
    UNIQUE (account, part)
);

CREATE TABLE wake (
    shard   INTEGER NOT NULL,
    due_at  INTEGER NOT NULL,
    account INTEGER NOT NULL,
    PRIMARY KEY (shard, due_at, account)
) WITHOUT ROWID;

-- One row for each commit; its place is shard and commits.
CREATE TABLE batch (
    place    INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    upto     INTEGER NOT NULL,
    now      INTEGER NOT NULL,
    revision INTEGER,
    woken    TEXT NOT NULL
);

CREATE TABLE journal (
    place    INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    account  INTEGER,
    workflow TEXT,
    revision TEXT NOT NULL,
    record   TEXT NOT NULL,
    hash     TEXT NOT NULL
);
CREATE INDEX journal_account ON journal (account, place);

CREATE TABLE task (
    task    TEXT PRIMARY KEY,
    shard   INTEGER NOT NULL REFERENCES shard (id),
    account TEXT NOT NULL,
    state   TEXT NOT NULL,
    change  TEXT NOT NULL
);
CREATE INDEX task_state ON task (state, account);

CREATE TABLE csm (
    shard INTEGER NOT NULL REFERENCES shard (id),
    csm   TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (shard, csm)
) WITHOUT ROWID;

CREATE TABLE parked (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    shard    INTEGER,
    position INTEGER,
    at       INTEGER NOT NULL,
    account  TEXT,
    code     TEXT NOT NULL,
    message  TEXT NOT NULL,
    field    TEXT,
    event    TEXT NOT NULL
);

CREATE TABLE reject (
    code     TEXT NOT NULL,
    name     TEXT NOT NULL,
    count    INTEGER NOT NULL,
    sample   TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (code, name)
) WITHOUT ROWID;

CREATE TABLE import_file (
    hash        TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    done        INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    finished_at INTEGER
) WITHOUT ROWID;

CREATE TABLE switch (
    name  TEXT PRIMARY KEY,
    is_on INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    note  TEXT NOT NULL
) WITHOUT ROWID;
