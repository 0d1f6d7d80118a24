-- How far the oldest rows of a shard were removed since their time was over; of the journal also the hash that the first
-- one which is kept follows. Nothing at or behind `kept_from` was removed.
CREATE TABLE pruned (
    shard     BIGINT NOT NULL REFERENCES shard (id),
    kind      TEXT COLLATE "C" NOT NULL,
    upto      BIGINT NOT NULL,
    hash      TEXT NOT NULL,
    kept_from BIGINT NOT NULL,
    PRIMARY KEY (shard, kind)
) WITH (fillfactor = 20);

-- What is removed from the oldest on is swept early, so that its pages take what comes next and the tables stop growing.
ALTER TABLE fact SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE journal SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE batch SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE attempt SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE fate SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE captured SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE answer SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE counted SET (autovacuum_vacuum_scale_factor = 0.02);
