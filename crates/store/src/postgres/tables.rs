//! The tables, as files that are run once each and in order.

use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Every change, in order: its number, what it is about, its statements. They only add, so that the version before
/// goes on beside a newer one; what nobody reads any more is taken away a version later.
const CHANGES: &[(i64, &str, &str)] = &[
    (
        1,
        "tables",
        include_str!("../../migrations/postgres/0001_tables.sql"),
    ),
    (
        2,
        "source",
        include_str!("../../migrations/postgres/0002_source.sql"),
    ),
    (
        3,
        "retention",
        include_str!("../../migrations/postgres/0003_retention.sql"),
    ),
];

/// What brings the tables up to date; changes of a newer version are none of ours.
pub(super) fn migrator() -> Migrator {
    let migrations = CHANGES.iter().map(|(number, name, sql)| {
        let sql = sqlx::SqlSafeStr::into_sql_str(*sql);
        Migration::new(*number, (*name).into(), MigrationType::Simple, sql, false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.set_ignore_missing(true);
    migrator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_run_and_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
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
