-- Who is there, with a lease or still without: leases are spread among them.

CREATE TABLE worker (
    owner      TEXT PRIMARY KEY,
    seen_until INTEGER NOT NULL
) WITHOUT ROWID;
