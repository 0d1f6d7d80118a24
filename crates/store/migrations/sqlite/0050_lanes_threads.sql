-- Messages of one lane go one after the other: a later one is not claimed while an earlier one is not settled.
ALTER TABLE delivery ADD COLUMN lane TEXT;
CREATE INDEX delivery_lane ON delivery (lane, id) WHERE lane IS NOT NULL AND state IN ('queued', 'deferred', 'claimed');

-- The thread of a run in a channel: what is posted there later answers its first post.
CREATE TABLE thread (
    run     TEXT NOT NULL,
    channel TEXT NOT NULL,
    ts      TEXT NOT NULL,
    PRIMARY KEY (run, channel)
) WITHOUT ROWID;
