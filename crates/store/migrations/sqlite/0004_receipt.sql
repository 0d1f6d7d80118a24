-- With its epoch a batch is the receipt of its commit, however many followed before anybody asks.
ALTER TABLE batch ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
