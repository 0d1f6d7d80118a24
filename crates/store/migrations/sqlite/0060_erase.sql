-- A record from which a person was erased keeps its hash, so that the chain goes on; `erased` vouches for what it says now.
ALTER TABLE journal ADD COLUMN erased TEXT;
