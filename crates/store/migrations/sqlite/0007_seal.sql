-- Keys that sign what leaves in links and addresses; old ones stay, since mails do.
CREATE TABLE seal_key (
    number  INTEGER PRIMARY KEY,
    secret  BLOB NOT NULL,
    made_at INTEGER NOT NULL
);
