//! What can be set, for people: each setting, what it takes, its default, and what it says.

/// A line for each setting; the tests hold it against the shape of the file and against the defaults in force.
const TABLE: &str = include_str!("reference.txt");

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Setting {
    /// Its name with dots; `[]` follows a list, and words in capitals are yours.
    pub name: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// What is in force if it is not said; empty: nothing is.
    pub default: &'static str,
    /// What it says.
    pub says: &'static str,
}

/// All settings, in the order in which a file would have them.
pub fn settings() -> Vec<Setting> {
    TABLE.lines().filter_map(setting).collect()
}

fn setting(line: &'static str) -> Option<Setting> {
    let mut parts = line.splitn(4, '|').map(str::trim);
    Some(Setting {
        name: parts.next()?,
        takes: parts.next()?,
        default: parts.next()?,
        says: parts.next()?,
    })
}

/// The settings as a page of Markdown.
pub fn page() -> String {
    let mut page = String::from(
        "# Settings\n\nWritten by `sottaku config --reference`. A time is a number with `ms`, `s`, `m` or `h`; a reference \
         is `${env:NAME}` or\n`${file:PATH}` and the only way to name a secret; paths are relative to the settings file.\n\n\
         | setting | takes | default | what it says |\n|---|---|---|---|\n",
    );
    for setting in settings() {
        let Setting {
            name,
            takes,
            default,
            says,
        } = setting;
        let default = match default {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        page.push_str(&format!("| `{name}` | {takes} | {default} | {says} |\n"));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::settings::Settings;
    use super::*;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    /// A file in which something stands at the place of a name.
    fn file(name: &str, value: Value) -> Value {
        name.rsplit('.').fold(value, |inner, part| {
            let (part, is_list) = match part.strip_suffix("[]") {
                Some(part) => (part, true),
                None => (part, false),
            };
            let inner = if is_list { json!([inner]) } else { inner };
            json!({ part: inner })
        })
    }

    /// The names that the file's shape has at a place; nothing where it takes any name, or is no group of names.
    fn names_at(group: &str) -> Option<BTreeSet<String>> {
        let nobody = json!({"?": null});
        let written = match group {
            "" => nobody,
            group => file(group, nobody),
        };
        let told = serde_json::from_value::<Settings>(written)
            .err()?
            .to_string();
        let expected = told.strip_prefix("unknown field `?`, expected ")?;
        Some(
            expected
                .split('`')
                .skip(1)
                .step_by(2)
                .map(Into::into)
                .collect(),
        )
    }

    #[test]
    fn every_setting_of_the_file_is_listed_and_no_other() {
        let listed: Vec<&str> = settings().iter().map(|setting| setting.name).collect();
        let mut groups = BTreeSet::from([""]);
        for name in &listed {
            groups.extend(name.match_indices('.').map(|(at, _)| &name[..at]));
        }
        for group in groups {
            let Some(names) = names_at(group) else {
                let taken = file(group, json!({"NAME": "x"}));
                let any = serde_json::from_value::<Settings>(taken);
                let told = any.err().map(|wrong| wrong.to_string()).unwrap_or_default();
                assert!(!told.contains("unknown field"), "{group}: {told}");
                continue;
            };
            let below: BTreeSet<String> = listed
                .iter()
                .filter_map(|name| match group {
                    "" => Some(*name),
                    group => name.strip_prefix(group)?.strip_prefix('.'),
                })
                .filter_map(|name| Some(name.split('.').next()?.trim_end_matches("[]").into()))
                .collect();
            assert_eq!(names, below, "{group}");
        }
        for name in listed.into_iter().filter(|name| *name != "senders[].smtp") {
            assert_eq!(names_at(name), None, "{name} has names below it");
        }
    }

    #[test]
    fn every_default_is_the_one_in_force() {
        let variable = |name: &str| (name == "SOTTAKU_SMTP_HOST").then(|| "relay.example".into());
        let config = Config::load_with(None, &variable).expect("defaults are good");
        let shown = config.shown();
        let mut found = 0;
        for Setting { name, default, .. } in settings() {
            let pointer = format!("/{}", name.replace('.', "/"));
            let value = match shown.pointer(&pointer) {
                None | Some(Value::Null) => continue,
                Some(Value::String(text)) => text.clone(),
                Some(Value::Array(items)) if items.is_empty() => String::new(),
                Some(other) => other.to_string(),
            };
            if matches!(name, "smtp.host" | "smtp.port") {
                continue;
            }
            found += 1;
            assert_eq!(value, default, "{name}");
        }
        assert!(found > 25, "only {found} were compared");
    }
}
