//! The words a template may call, and `say`, through which every value is printed.

use super::format;
use super::frame::Around;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason, Renderable, ScopedJson,
};
use model::Decimal;
use serde_json::{Value, json};

/// The helpers that give a value.
pub(super) const HELPERS: [&str; 9] = [
    "date",
    "percent",
    "money",
    "number",
    "count",
    "or",
    "days_until",
    "days_since",
    "url",
];
/// Prints a value; no template can name it.
pub(super) const SAY: &str = " say";
/// Counts one round of a loop; no template can name it.
pub(super) const TICK: &str = " tick";

/// A registry with our words only, which prints through `escape`.
pub(super) fn registry(escape: fn(&str) -> String) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    for name in [
        "if", "unless", "lookup", "raw", "log", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or",
        "not", "len",
    ] {
        registry.unregister_helper(name);
    }
    registry.set_strict_mode(true);
    registry.register_escape_fn(escape);
    registry.register_helper("if", Box::new(Branch { on: true }));
    registry.register_helper("unless", Box::new(Branch { on: false }));
    registry.register_helper(SAY, Box::new(Say));
    registry.register_helper(TICK, Box::new(Tick));
    let words: [(&str, Word); 9] = [
        ("date", date),
        ("percent", percent),
        ("money", money),
        ("number", number),
        ("count", count),
        ("or", or),
        ("days_until", days_until),
        ("days_since", days_since),
        ("url", url),
    ];
    for (name, word) in words {
        registry.register_helper(name, Box::new(Pure(word)));
    }
    registry
}

fn fault(why: String) -> RenderError {
    RenderErrorReason::Other(why).into()
}

fn is_known(value: &Value) -> bool {
    !value.is_null()
}

/// `if` and `unless`: known and not false; 0 and the empty text are something.
struct Branch {
    on: bool,
}

impl HelperDef for Branch {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = h.param(0).map_or(&Value::Null, |param| param.value());
        let holds = is_known(value) && *value != Value::Bool(false);
        let branch = if holds == self.on {
            h.template()
        } else {
            h.inverse()
        };
        branch.map_or(Ok(()), |branch| branch.render(r, ctx, rc, out))
    }
}

/// Prints a known text, number or truth value, escaped.
struct Say;

impl HelperDef for Say {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let param = h.param(0);
        let name = param
            .and_then(|param| param.relative_path().cloned())
            .unwrap_or_default();
        let text = match param.map_or(&Value::Null, |param| param.value()) {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null => return Err(fault(format!("the value of `{name}` is not known"))),
            Value::Array(_) | Value::Object(_) => {
                return Err(fault(format!("`{name}` is not a single value")));
            }
        };
        out.write(&r.get_escape_fn()(&text))?;
        Ok(())
    }
}

/// One round of a loop: a write of nothing, which the writer counts.
struct Tick;

impl HelperDef for Tick {
    fn call<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        out.write("")?;
        Ok(())
    }
}

/// From the parameters and what lies around them to a value, or the reason why not.
type Word = fn(&[&Value], &Around) -> Result<Value, String>;

/// A helper without a side. Of an unknown first value all but `or` make unknown.
struct Pure(Word);

impl HelperDef for Pure {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let params: Vec<&Value> = h.params().iter().map(|param| param.value()).collect();
        if h.name() != "or" && !params.first().is_some_and(|value| is_known(value)) {
            return Ok(ScopedJson::Derived(Value::Null));
        }
        let value = (self.0)(&params, &Around::of(ctx.data()))
            .map_err(|why| fault(format!("`{}`: {why}", h.name())))?;
        Ok(ScopedJson::Derived(value))
    }
}

/// The first parameter as a number.
fn decimal(params: &[&Value]) -> Result<Decimal, String> {
    match params.first() {
        Some(Value::Number(number)) => Decimal::from_json(number),
        Some(Value::String(text)) => text.parse().ok(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
    }
    .ok_or_else(|| "its value is not a number".to_owned())
}

/// The first parameter as a civil day.
fn day(params: &[&Value], around: &Around) -> Result<jiff::civil::Date, String> {
    params
        .first()
        .and_then(|value| value.as_str())
        .and_then(|text| around.day(text))
        .ok_or_else(|| "its value is neither a day nor an instant".to_owned())
}

fn date(params: &[&Value], around: &Around) -> Result<Value, String> {
    Ok(json!(format::date(around.language, day(params, around)?)))
}

fn percent(params: &[&Value], _: &Around) -> Result<Value, String> {
    let text = format::percent(decimal(params)?).ok_or("its value is too large")?;
    Ok(json!(text))
}

fn money(params: &[&Value], around: &Around) -> Result<Value, String> {
    let text = format::money(around.language, &around.currency, decimal(params)?);
    Ok(json!(text.ok_or("its value is too large")?))
}

fn number(params: &[&Value], _: &Around) -> Result<Value, String> {
    Ok(json!(format::number(decimal(params)?)))
}

fn count(params: &[&Value], around: &Around) -> Result<Value, String> {
    match params.first() {
        Some(Value::Array(list)) => Ok(json!(list.len().to_string())),
        _ => number(params, around),
    }
}

fn or(params: &[&Value], _: &Around) -> Result<Value, String> {
    let known = params.iter().find(|value| is_known(value));
    Ok(known.map_or(Value::Null, |value| (*value).clone()))
}

/// Civil days from the message's own day to the day of the first parameter.
fn days(params: &[&Value], around: &Around) -> Result<i32, String> {
    let today = around
        .today
        .ok_or("the view does not say its own instant")?;
    let span = today
        .until(day(params, around)?)
        .map_err(|error| error.to_string())?;
    Ok(span.get_days())
}

fn days_until(params: &[&Value], around: &Around) -> Result<Value, String> {
    Ok(json!(days(params, around)?))
}

fn days_since(params: &[&Value], around: &Around) -> Result<Value, String> {
    Ok(json!(-days(params, around)?))
}

fn url(params: &[&Value], _: &Around) -> Result<Value, String> {
    let text = params
        .first()
        .and_then(|value| value.as_str())
        .unwrap_or_default();
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "https" | "mailto") => Ok(json!(url.as_str())),
        Ok(_) | Err(_) => Err("its value is no https or mailto address".to_owned()),
    }
}
