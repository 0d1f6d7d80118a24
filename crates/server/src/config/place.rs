//! Where the store is: in a file, or in a database.

use super::build::Variable;
use super::{ConfigError, Secret, setting};
use std::path::{Path, PathBuf};
use store::{OpenError, OpenOptions, Store};

/// The variable of the environment that names the store.
const VARIABLE: &str = "SOTTAKU_STORE";

/// Where the store is.
#[derive(Clone)]
pub enum StorePlace {
    /// In this file.
    File(PathBuf),
    /// In the Postgres database with this address.
    Database(Secret),
}

impl StorePlace {
    /// By what is written: a file, an address without a password, or a reference to one.
    pub(super) fn build(
        written: Option<&str>,
        variable: Variable<'_>,
        base: &Path,
    ) -> Result<Self, ConfigError> {
        let written = written.unwrap_or("sottaku.db");
        // Whoever sees the environment of a server may see its secrets: a password may stand there.
        if variable(VARIABLE).is_some_and(|value| value == written) && is_address(written) {
            let address = Secret::of_variable(VARIABLE, written.to_owned());
            return Ok(Self::Database(address));
        }
        if written.starts_with("${") {
            let address = Secret::follow(written, variable, base);
            let address = address.map_err(|why| setting("store", why))?;
            if !is_address(address.expose()) {
                let why = "is not the address of a database, `postgres://…`";
                return Err(setting("store", format!("{written} {why}")));
            }
            return Ok(Self::Database(address));
        }
        if is_address(written) {
            return Self::open_address(written)
                .map(Self::Database)
                .map_err(|why| setting("store", why));
        }
        Ok(Self::File(base.join(written)))
    }

    /// By what stands on a command line: a file, or an address without a password.
    pub fn given(text: &Path) -> Result<Self, ConfigError> {
        match text.to_str() {
            Some(address) if is_address(address) => Self::open_address(address)
                .map(Self::Database)
                .map_err(|why| setting("--store", why)),
            Some(_) | None => Ok(Self::File(text.to_owned())),
        }
    }

    /// An address that may be read by anybody.
    fn open_address(address: &str) -> Result<Secret, String> {
        if has_password(address) {
            return Err(format!(
                "an address with a password is given as ${{env:NAME}} or ${{file:PATH}}, or in {VARIABLE}"
            ));
        }
        Ok(Secret::of_nobody(address))
    }

    /// Opens the store there.
    pub async fn open(&self, options: OpenOptions) -> Result<Store, OpenError> {
        match self {
            Self::File(path) => Store::open(path, options).await,
            Self::Database(address) => Store::connect(address.expose(), options).await,
        }
    }

    /// As it may be shown.
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Database(address) => address.reference().to_owned(),
        }
    }
}

fn is_address(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

fn has_password(address: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let login = authority.rsplit_once('@').map(|(login, _)| login);
    login.is_some_and(|login| login.contains(':')) || address.contains("password=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(written: &str) -> Result<StorePlace, ConfigError> {
        let variable = |name: &str| match name {
            "DB" => Some("postgres://me:secret@db.example/cs".to_owned()),
            "OTHER" => Some("sottaku.db".to_owned()),
            "SOTTAKU_STORE" => Some("postgres://me:open@db.example/here".to_owned()),
            _ => None,
        };
        StorePlace::build(Some(written), &variable, Path::new("/etc/sottaku"))
    }

    #[test]
    fn a_store_is_a_file_an_address_or_a_reference_to_one() {
        for (written, shown) in [
            ("cs.db", "/etc/sottaku/cs.db"),
            ("postgres://me@db.example/cs", "postgres://me@db.example/cs"),
            ("${env:DB}", "${env:DB}"),
            ("postgres://me:open@db.example/here", "${env:SOTTAKU_STORE}"),
        ] {
            let place = built(written).map(|place| place.shown());
            assert_eq!(place.as_deref(), Ok(shown));
        }
    }

    #[test]
    fn a_password_in_the_settings_or_on_a_command_line_is_refused_and_not_shown() {
        for written in [
            "postgres://me:secret@db.example/cs",
            "postgres://db.example/cs?password=secret",
            "${env:OTHER}",
            "${env:NONE}",
        ] {
            let told = built(written).err().map(|why| why.to_string());
            let told = told.unwrap_or_default();
            assert!(told.contains("store") && !told.contains("secret"), "{told}");
        }
        let given = StorePlace::given(Path::new("postgres://me:secret@db.example/cs"));
        assert!(given.is_err());
    }
}
