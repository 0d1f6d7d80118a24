-- Until when the account of a message does business with us, as its decision saw it; none: it does not. What an older
-- program decided is left as it was decided.
ALTER TABLE outbox ADD COLUMN related_until INTEGER;
UPDATE outbox SET related_until = 9223372036854775807;
