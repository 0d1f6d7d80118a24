-- What was said to our messages from outside: each once, whichever way it came in, and however often.
CREATE TABLE answer (
    id       TEXT PRIMARY KEY,
    delivery INTEGER NOT NULL REFERENCES outbox (id),
    said     TEXT NOT NULL,
    detail   TEXT NOT NULL,
    at       INTEGER NOT NULL
) WITHOUT ROWID;

-- Bounces, as long as they count: towards a pause of an address, or of a domain that does not want us.
CREATE TABLE bounce (
    key    BLOB NOT NULL,
    answer TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (key, answer)
) WITHOUT ROWID;
