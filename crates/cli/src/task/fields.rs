//! `--set account.field=value`: read against the schema of what is applied, so that a wrong word is said at once.

use anyhow::{Context, bail};
use model::Decimal;
use serde_json::{Map, Value, json};
use store::Store;
use workflow::program::{Entity, Field, FieldType};

/// The fields of the account that are set, as a fact carries them.
pub(super) async fn read(store: &Store, set: &[String]) -> anyhow::Result<Map<String, Value>> {
    let files = server::applied_files(store).await?;
    let files = files.context("no workspace was applied yet; `sottaku apply` does it")?;
    let Some(program) = workflow::check(&files).program else {
        bail!("the applied workspace can't be read by this version");
    };
    let all = set.iter().map(|one| read_one(&program.schema.account, one));
    all.collect()
}

fn read_one(account: &Entity, one: &str) -> anyhow::Result<(String, Value)> {
    let Some((name, text)) = one.split_once('=') else {
        bail!("`{one}` sets nothing: write `account.field=value`");
    };
    let Some(name) = name.trim().strip_prefix("account.") else {
        bail!("`{name}` can't be set: only fields of the account can, as `account.field`");
    };
    let Some(field) = account.fields.get(name) else {
        bail!("there is no `account.{name}`");
    };
    if field.is_written_by_workflows {
        bail!("`account.{name}` is written by workflows only");
    }
    let value = value(field, text.trim()).with_context(|| format!("account.{name}"))?;
    Ok((name.to_owned(), value))
}

fn value(field: &Field, text: &str) -> anyhow::Result<Value> {
    Ok(match &field.kind {
        FieldType::Number | FieldType::Money => number(text)?,
        FieldType::Percent => match text.strip_suffix('%') {
            Some(percent) => number(&shifted(percent)?)?,
            None => number(text)?,
        },
        FieldType::Boolean => match text {
            "true" => json!(true),
            "false" => json!(false),
            _ => bail!("`{text}` is neither `true` nor `false`"),
        },
        FieldType::Pick(list) if !list.words.iter().any(|word| **word == *text) => {
            bail!("`{text}` is not one of: {}", list.words.join(", "));
        }
        FieldType::Pick(_)
        | FieldType::Text
        | FieldType::Email
        | FieldType::Locale
        | FieldType::Timezone
        | FieldType::Csm
        | FieldType::Contact
        | FieldType::Date
        | FieldType::Time => json!(text),
    })
}

fn number(text: &str) -> anyhow::Result<Value> {
    let number: serde_json::Number = text
        .parse()
        .with_context(|| format!("`{text}` is no number"))?;
    Ok(Value::Number(number))
}

/// A percentage as the share that facts carry: `60` is `0.6`.
fn shifted(percent: &str) -> anyhow::Result<String> {
    let share: Decimal = format!("{}e-2", percent.trim())
        .parse()
        .ok()
        .with_context(|| format!("`{percent}` is no number"))?;
    Ok(share.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use workflow::program::PickList;

    fn account() -> Entity {
        let words = ["bad", "neutral", "good"].map(Box::from).to_vec();
        let pick = FieldType::Pick(Arc::new(PickList {
            words,
            is_ordered: true,
        }));
        let fields = [
            ("csm_sentiment", pick),
            ("arr", FieldType::Money),
            ("goal_progress", FieldType::Percent),
            ("flagship", FieldType::Boolean),
        ];
        let fields = fields.into_iter().map(|(name, kind)| {
            let field = Field {
                kind,
                is_required: false,
                is_written_by_workflows: name == "status",
                is_personal: false,
                title: None,
            };
            (Box::from(name), field)
        });
        Entity {
            fields: fields.collect::<BTreeMap<_, _>>(),
        }
    }

    #[test]
    fn a_value_is_read_by_the_type_of_its_field() {
        for (said, expected) in [
            ("account.csm_sentiment=good", json!("good")),
            ("account.arr=3000000", json!(3_000_000)),
            ("account.goal_progress=60%", json!(0.6)),
            ("account.goal_progress=0.6", json!(0.6)),
            ("account.flagship=true", json!(true)),
        ] {
            let (_, value) = read_one(&account(), said).expect("it can be set");
            assert_eq!(value, expected, "{said}");
        }
    }

    #[test]
    fn what_the_schema_does_not_know_is_refused_at_once() {
        for wrong in [
            "account.csm_sentiment=great",
            "account.mood=good",
            "contract.seats=4",
            "account.arr=much",
            "account.flagship",
        ] {
            assert!(read_one(&account(), wrong).is_err(), "{wrong}");
        }
    }
}
