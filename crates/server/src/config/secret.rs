//! Secrets: given only as references, kept in a type that cannot be printed.

use std::path::Path;

/// The longest file that a secret is read from, in bytes.
const SECRET_BYTES_MAX: usize = 64 * 1024;

/// A secret and where it came from. It has no `Debug`, so nothing that holds one can be printed by accident.
#[derive(Clone)]
pub struct Secret {
    value: Box<str>,
    reference: Box<str>,
}

impl Secret {
    /// The text, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// Where it came from, which may be shown.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The text of a variable of the environment.
    pub(super) fn of_variable(name: &str, value: String) -> Self {
        Self {
            value: value.into(),
            reference: format!("${{env:{name}}}").into(),
        }
    }

    /// A text that is no secret where a secret may stand.
    pub(super) fn of_nobody(text: &str) -> Self {
        Self {
            value: text.into(),
            reference: text.into(),
        }
    }

    /// Follows a reference, `${env:X}` or `${file:PATH}`.
    pub(super) fn follow(
        reference: &str,
        variable: &dyn Fn(&str) -> Option<String>,
        base: &Path,
    ) -> Result<Self, String> {
        let inner = reference
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'));
        let value = match inner.and_then(|inner| inner.split_once(':')) {
            Some(("env", name)) => variable(name)
                .ok_or_else(|| format!("the variable {name} of the environment is not set"))?,
            Some(("file", path)) => from_file(&base.join(path))?,
            Some(_) | None => {
                return Err("a secret is given as ${env:NAME} or ${file:PATH}, never in the settings themselves".into());
            }
        };
        if value.is_empty() {
            return Err(format!("{reference} is empty"));
        }
        Ok(Self {
            value: value.into(),
            reference: reference.into(),
        })
    }
}

fn from_file(path: &Path) -> Result<String, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if text.len() > SECRET_BYTES_MAX {
        return Err(format!(
            "{} is longer than {SECRET_BYTES_MAX} bytes",
            path.display()
        ));
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
