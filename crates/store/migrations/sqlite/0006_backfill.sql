-- How far the log was read again for what a later text counts anew; none while there is nothing of that.
ALTER TABLE shard ADD COLUMN backfill INTEGER;
