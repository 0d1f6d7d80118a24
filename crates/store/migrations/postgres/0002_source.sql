-- Other topics that are read: by whom, and which topic it was taken for.

CREATE TABLE source (
    name        TEXT PRIMARY KEY,
    topic       TEXT NOT NULL,
    topic_id    TEXT NOT NULL,
    since       BIGINT NOT NULL,
    owner       TEXT,
    epoch       BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    halted      TEXT,
    -- The instant as of which all of its topic was copied.
    copied_until BIGINT NOT NULL DEFAULT 0
);

-- How far each partition is, and by what its last record is known again.
CREATE TABLE source_position (
    name      TEXT NOT NULL REFERENCES source (name),
    partition BIGINT NOT NULL,
    next      BIGINT NOT NULL,
    mark      TEXT NOT NULL,
    PRIMARY KEY (name, partition)
);

-- By what the last record that was read of a log in Kafka is known again.
CREATE TABLE log_mark (
    shard    BIGINT PRIMARY KEY REFERENCES shard (id),
    position BIGINT NOT NULL,
    mark     TEXT NOT NULL
);
