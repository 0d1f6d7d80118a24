//! Metrics: one source each, and a window.

use super::expression::expression;
use super::notation::period;
use super::value::{scalar, short, word};
use super::{Keys, Notes, expression as reading};
use crate::diagnostic::{Span, nearest};
use crate::expression::{Scope, Want};
use crate::program::{Aggregate, Expr, FieldType, Metric, Period, Reduce, Source, Type, Window};
use crate::yaml::Node;

/// Keys of a metric.
pub(crate) const KEYS: [&str; 13] = [
    "count",
    "count_distinct",
    "sum",
    "average",
    "min",
    "max",
    "latest",
    "earliest",
    "formula",
    "as",
    "where",
    "over",
    "since",
];
const SOURCES: [&str; 9] = [
    "count",
    "count_distinct",
    "sum",
    "average",
    "min",
    "max",
    "latest",
    "earliest",
    "formula",
];

/// The text of a formula, if the metric is one: to find out what it needs before it is read.
pub(crate) fn formula_text(node: &Node) -> Option<&str> {
    node.get("formula")?.scalar().map(|scalar| &*scalar.text)
}

/// Reads one metric.
pub(crate) fn metric(notes: &mut Notes, name: &str, node: &Node, scope: &Scope) -> Option<Metric> {
    let keys = Keys::of(notes, node, "a metric", &KEYS)?;
    let sources: Vec<&str> = SOURCES.into_iter().filter(|key| keys.has(key)).collect();
    let [source] = sources.as_slice() else {
        let message = format!("a metric has one source, this one has {}", sources.len());
        let help = "one of `count count_distinct sum average min max latest earliest formula`";
        notes.error_help("E104", keys.place(), message, help.to_owned());
        return None;
    };
    let value = keys.get(notes, source)?;
    if *source == "formula" {
        return formula(notes, name, &keys, value, scope);
    }
    if let Some(span) = keys.span_of("as") {
        notes.error("E103", span, "`as` says the type of a formula");
    }
    let (how, event, ty) = source_of(notes, source, value, scope)?;
    let condition = match keys.get(notes, "where") {
        Some(node) => Some(event_condition(notes, node, scope, &event)?),
        None => None,
    };
    let window = window(notes, &keys, scope)?;
    let basis = basis(&event, &how, condition.as_ref());
    let aggregate = Aggregate {
        how,
        event,
        condition,
        basis,
        window,
    };
    Some(Metric {
        name: name.into(),
        source: Source::Events(Box::new(aggregate)),
        ty,
    })
}

fn formula(
    notes: &mut Notes,
    name: &str,
    keys: &Keys<'_>,
    value: &Node,
    scope: &Scope,
) -> Option<Metric> {
    for key in ["where", "over", "since"] {
        if let Some(span) = keys.span_of(key) {
            let message = format!("a formula has no `{key}`: its metrics have their own");
            notes.error("E103", span, message);
        }
    }
    let expr = expression(notes, value, scope, &Want::Anything)?;
    let ty = match keys.get(notes, "as") {
        None => expr.ty.clone(),
        Some(node) => {
            word(notes, node, "`as`", &[("percent", ())])?;
            if !matches!(expr.ty, Type::Number | Type::Percent) {
                let message = "only a number can be read as a percentage";
                notes.error("E301", value.span, message);
                return None;
            }
            Type::Percent
        }
    };
    if !matches!(
        ty,
        Type::Number | Type::Percent | Type::Money | Type::Date | Type::Time
    ) {
        let message = "a metric is a number, a percentage, money, a date or a time";
        let help =
            matches!(ty, Type::Bool).then(|| "a condition with a name is a segment".to_owned());
        notes.error_help("E103", value.span, message, help);
        return None;
    }
    Some(Metric {
        name: name.into(),
        source: Source::Formula(expr),
        ty,
    })
}

/// What is kept of which event, and the type that gives.
fn source_of(
    notes: &mut Notes,
    source: &str,
    node: &Node,
    scope: &Scope,
) -> Option<(Reduce, Box<str>, Type)> {
    let text = scalar(notes, node, "the event of a metric")?;
    let reduce = match source {
        "count" => Some((Reduce::Count, Type::Number)),
        "latest" => Some((Reduce::Latest, Type::Time)),
        "earliest" => Some((Reduce::Earliest, Type::Time)),
        _ => None,
    };
    if let Some((reduce, ty)) = reduce {
        check_event(notes, &text.text, node.span, scope)?;
        return Some((reduce, text.text.clone(), ty));
    }
    let Some((event, field)) = text.text.rsplit_once('.') else {
        let message = format!("`{}` is not a field of an event", short(&text.text));
        notes.error_help(
            "E201",
            node.span,
            message,
            "for example `user.logged_in.user`".to_owned(),
        );
        return None;
    };
    let events = &scope.world.schema.events;
    if events.contains_key(&*text.text) {
        let message = format!("`{source}` needs a field of `{}`", text.text);
        let fields: Vec<String> = events.get(&*text.text).map_or_else(Vec::new, |event| {
            event
                .fields
                .keys()
                .map(|field| format!("`{}.{field}`", text.text))
                .collect()
        });
        notes.error_help(
            "E201",
            node.span,
            message,
            Some(format!("for example {}", fields.join(", "))).filter(|_| !fields.is_empty()),
        );
        return None;
    }
    check_event(notes, event, node.span, scope)?;
    let kind = field_kind(notes, event, field, node.span, scope)?;
    let (reduce, ty) = reduce_of(notes, source, field, &kind, node.span)?;
    Some((reduce, event.into(), ty))
}

fn reduce_of(
    notes: &mut Notes,
    source: &str,
    field: &str,
    kind: &FieldType,
    span: Span,
) -> Option<(Reduce, Type)> {
    let field: Box<str> = field.into();
    if source == "count_distinct" {
        return Some((Reduce::CountDistinct(field), Type::Number));
    }
    let ty = match kind {
        FieldType::Number => Type::Number,
        FieldType::Percent => Type::Percent,
        FieldType::Money => Type::Money,
        FieldType::Text
        | FieldType::Date
        | FieldType::Time
        | FieldType::Boolean
        | FieldType::Email
        | FieldType::Locale
        | FieldType::Timezone
        | FieldType::Contact
        | FieldType::Csm
        | FieldType::Pick(_) => {
            let message =
                format!("`{source}` needs a number, a percentage or money, and `{field}` is none");
            notes.error("E301", span, message);
            return None;
        }
    };
    let reduce = match source {
        "sum" => Reduce::Sum(field),
        "average" => Reduce::Average(field),
        "min" => Reduce::Min(field),
        _ => Reduce::Max(field),
    };
    Some((reduce, ty))
}

/// E202 unless the event is declared.
pub(crate) fn check_event(notes: &mut Notes, event: &str, span: Span, scope: &Scope) -> Option<()> {
    let events = &scope.world.schema.events;
    if events.contains_key(event) {
        return Some(());
    }
    let help = nearest(event, events.keys().map(|name| &**name))
        .map(|near| format!("did you mean `{near}`?"));
    let message = format!("there is no event `{}`", short(event));
    notes.error_help("E202", span, message, help);
    None
}

fn field_kind(
    notes: &mut Notes,
    event: &str,
    field: &str,
    span: Span,
    scope: &Scope,
) -> Option<FieldType> {
    let fields = &scope.world.schema.events.get(event)?.fields;
    if let Some(field) = fields.get(field) {
        return Some(field.kind.clone());
    }
    if !scope.world.failed.contains(&*format!("{event}.{field}")) {
        let help = nearest(field, fields.keys().map(|name| &**name))
            .map(|near| format!("did you mean `{near}`?"));
        let message = format!("the event `{event}` has no field `{}`", short(field));
        notes.error_help("E201", span, message, help);
    }
    None
}

fn event_condition(notes: &mut Notes, node: &Node, scope: &Scope, event: &str) -> Option<Expr> {
    let scope = Scope {
        world: scope.world.clone(),
        event: Some(vec![event.into()]),
        ..Scope::default()
    };
    reading::condition(notes, node, &scope)
}

fn window(notes: &mut Notes, keys: &Keys<'_>, scope: &Scope) -> Option<Window> {
    if let (Some(_), Some(span)) = (keys.span_of("over"), keys.span_of("since")) {
        notes.error("E103", span, "a metric has either `over` or `since`");
        return None;
    }
    if keys.has("since") {
        let node = keys.get(notes, "since")?;
        return expression(notes, node, scope, &Want::Day).map(Window::Since);
    }
    if !keys.has("over") {
        return Some(Window::Ever);
    }
    let node = keys.get(notes, "over")?;
    let window = match period(notes, node, "`over`")? {
        Period::Days(days) if days > 0 => u16::try_from(days).ok().map(Window::Days),
        Period::Seconds(seconds) if seconds > 0 && seconds % 3600 == 0 && seconds <= 86_400 => {
            u16::try_from(seconds / 3600).ok().map(Window::Hours)
        }
        Period::Days(_) | Period::Seconds(_) | Period::BusinessDays(_) => None,
    };
    if window.is_none() {
        let message = "`over` is so many days, or up to 24 whole hours";
        notes.error_help(
            "E103",
            node.span,
            message,
            "for example `7d`, `4w` or `24h`".to_owned(),
        );
    }
    window
}

/// Equal (event, field, condition) have the same name, so that they share one structure.
fn basis(event: &str, how: &Reduce, condition: Option<&Expr>) -> Box<str> {
    let field = match how {
        Reduce::Count | Reduce::Latest | Reduce::Earliest => "",
        Reduce::CountDistinct(field)
        | Reduce::Sum(field)
        | Reduce::Average(field)
        | Reduce::Min(field)
        | Reduce::Max(field) => field,
    };
    let condition = condition.map_or_else(String::new, |condition| {
        let text = serde_json::to_string(condition).unwrap_or_default();
        let digest = model::id::digest(&[&text]);
        let hex: String = digest
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("?{hex}")
    });
    let dot = if field.is_empty() { "" } else { "." };
    format!("{event}{dot}{field}{condition}").into()
}
