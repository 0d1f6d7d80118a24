-- How far the oldest rows of a shard were removed since their time was over; of the journal also the hash that the first
-- one which is kept follows. Nothing at or behind `kept_from` was removed.
CREATE TABLE pruned (
    shard     INTEGER NOT NULL REFERENCES shard (id),
    kind      TEXT NOT NULL,
    upto      INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    kept_from INTEGER NOT NULL,
    PRIMARY KEY (shard, kind)
) WITHOUT ROWID;

-- A delivery that is removed looks for its fates.
CREATE INDEX fate_delivery ON fate (delivery);
