-- The text by which a message was decided: it leaves with that one's templates, topics and sender.
ALTER TABLE outbox ADD COLUMN revision INTEGER REFERENCES revision (id);
