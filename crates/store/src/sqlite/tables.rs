//! The tables, as files that are run once each and in order.

use sqlx::migrate::{Migration, MigrationType, Migrator};

/// One change of the tables: the number it is run by, what it is about, its statements.
type Change = (i64, &'static str, &'static str);

/// Lists the changes by number and name, as their files are called.
macro_rules! changes {
    ($($number:literal $name:literal,)+) => {
        [$((
            const { number($number) },
            $name,
            include_str!(concat!("../../migrations/sqlite/", $number, "_", $name, ".sql")),
        )),+]
    };
}

/// Every change, in order. A list, not a macro that reads the folder: that one would build a second database
/// for the compiler's own use, for a minute and a half of each first build.
const CHANGES: &[Change] = &changes! {
    "0001" "tables",
    "0002" "outbox",
    "0003" "workers",
    "0004" "receipt",
    "0005" "activation",
    "0006" "backfill",
    "0007" "seal",
    "0008" "gate",
    "0040" "answer",
    "0050" "lanes_threads",
    "0060" "erase",
    "0070" "outbox_revision",
    "0071" "ground",
    "0072" "answers_of",
    "0080" "source",
    "0090" "retention",
};

/// The number that a file's name begins with.
const fn number(digits: &str) -> i64 {
    let digits = digits.as_bytes();
    let (mut at, mut number) = (0, 0);
    while at < digits.len() {
        number = number * 10 + (digits[at] - b'0') as i64;
        at += 1;
    }
    number
}

/// What brings the tables up to date.
pub(super) fn migrator() -> Migrator {
    let migrations = CHANGES.iter().map(|(number, name, sql)| {
        let description = name.replace('_', " ").into();
        let sql = sqlx::SqlSafeStr::into_sql_str(*sql);
        Migration::new(*number, description, MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_run_and_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder of the tables is there")
            .map(|file| file.expect("it can be read").file_name())
            .map(|name| name.into_string().expect("names are plain"))
            .collect();
        files.sort();
        let listed: Vec<String> = CHANGES
            .iter()
            .map(|(number, name, _)| format!("{number:04}_{name}.sql"))
            .collect();
        assert_eq!(files, listed);
    }
}
