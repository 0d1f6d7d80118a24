-- Facts up to `history_until` tell how things stood before the first text; `rebased` is the text by which every account of
-- the shard has been decided.
ALTER TABLE shard ADD COLUMN history_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shard ADD COLUMN rebased INTEGER;
UPDATE shard SET history_until = revision_from, rebased = revision;

-- What becomes of runs that rest at a step which the text does not have.
ALTER TABLE revision ADD COLUMN ends_resting INTEGER NOT NULL DEFAULT 0;

-- Which text took effect where, in order.
CREATE TABLE activation (
    id       INTEGER PRIMARY KEY,
    shard    INTEGER NOT NULL REFERENCES shard (id),
    revision INTEGER NOT NULL REFERENCES revision (id),
    position INTEGER NOT NULL,
    at       INTEGER NOT NULL
);
INSERT INTO activation (shard, revision, position, at)
    SELECT shard.id, shard.revision, shard.revision_from, coalesce(revision.applied_at, revision.stored_at)
    FROM shard JOIN revision ON revision.id = shard.revision ORDER BY shard.id;
