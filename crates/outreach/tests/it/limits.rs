//! Templates that would harm, and those that come close.

use crate::desk::{by_mail, by_route, mail_text, outgoing, set, template};
use model::TemplateText;
use outreach::render::{Fault, OUTPUT_BYTES_MAX, RenderError, Rendered, Templates, render};
use serde_json::{Value, json};

fn fault(body: &str) -> Fault {
    let text = mail_text("a", "ja", "s", body);
    let mut errors = Templates::new([text]).expect_err("a fault");
    assert_eq!(errors.len(), 1);
    errors.remove(0).fault
}

fn outcome(body: &str, values: Value) -> Result<Rendered, RenderError> {
    render(
        &set([mail_text("a", "ja", "s", body)]),
        &outgoing(by_mail(), template("a", "ja"), values),
        None,
    )
}

fn text_of(body: &str, values: Value) -> String {
    match outcome(body, values) {
        Ok(Rendered::Mail(mail)) => mail.text.trim_end().to_owned(),
        other => panic!("{body}: {other:?}"),
    }
}

fn nested(depth: usize) -> String {
    format!("{}x{}", "{{#if a}}".repeat(depth), "{{/if}}".repeat(depth))
}

fn chained(links: usize) -> String {
    format!(
        "{{{{#if a}}}}x{}{{{{/if}}}}",
        "{{else if b}}y".repeat(links)
    )
}

fn called(depth: usize) -> String {
    format!("{{{{or {}a{}}}}}", "(or ".repeat(depth), ")".repeat(depth))
}

#[test]
fn what_is_dangerous_has_a_name() {
    for (body, expected) in [
        ("{{> a}}", Fault::Partial),
        ("{{#if x}}{{> a}}{{/if}}", Fault::Partial),
        ("{{#> a}}{{/a}}", Fault::Partial),
        ("{{* inline}}", Fault::Decorator),
        ("{{#*inline \"a\"}}{{/inline}}", Fault::Decorator),
        ("{{{x}}}", Fault::RawOutput),
        ("{{~{x}~}}", Fault::RawOutput),
        ("{{&x}}", Fault::RawOutput),
        ("{{ & x}}", Fault::RawOutput),
        ("{{{{raw}}}}x{{{{/raw}}}}", Fault::RawOutput),
        ("\\{{x}}", Fault::EscapedBraces),
        ("{{x", Fault::Unclosed),
        ("{{!-- x", Fault::Unclosed),
        ("{{x [1]}}", Fault::Brackets),
        (
            "{{lookup this \"a\"}}",
            Fault::UnknownHelper("lookup".into()),
        ),
        ("{{log x}}", Fault::UnknownHelper("log".into())),
        ("{{eq x 1}}", Fault::UnknownHelper("eq".into())),
        ("{{or (len x) 1}}", Fault::UnknownHelper("len".into())),
        (
            "{{#if (eq x 1)}}a{{/if}}",
            Fault::UnknownHelper("eq".into()),
        ),
        ("{{#raw x}}a{{/raw}}", Fault::UnknownBlock("raw".into())),
        ("{{#x}}a{{/x}}", Fault::UnknownBlock("x".into())),
        (
            "{{#if x includeZero=true}}a{{/if}}",
            Fault::NamedArgument("if".into()),
        ),
        ("{{@root.x}}", Fault::Forbidden("@root.x".into())),
        (
            "{{#each @root.x}}a{{/each}}",
            Fault::Forbidden("@root.x".into()),
        ),
        ("{{_.at}}", Fault::Forbidden("_.at".into())),
        ("<a href=\"{{x}}\">y</a>", Fault::ValueInTag),
        ("<a href={{url x}}>y</a>", Fault::ValueInTag),
        ("<p {{x}}>y</p>", Fault::ValueInTag),
        ("{{#if x}}<a href=\"{{/if}}{{x}}\">y</a>", Fault::ValueInTag),
    ] {
        assert_eq!(fault(body), expected, "{body}");
    }
    assert!(matches!(fault("{{#if x}}a"), Fault::Syntax(_)));
    assert!(matches!(fault("{{#if x}}a{{/each}}"), Fault::Syntax(_)));
}

#[test]
fn limits_are_met_at_their_edge() {
    for (within, beyond, expected) in [
        (nested(32), nested(33), Fault::BlocksTooDeep),
        (chained(31), chained(32), Fault::BlocksTooDeep),
        (called(8), called(9), Fault::ExpressionTooDeep),
        (
            "x".repeat(256 * 1024),
            "x".repeat(256 * 1024 + 1),
            Fault::TooLong,
        ),
    ] {
        assert!(Templates::new([mail_text("a", "ja", "s", &within)]).is_ok());
        assert_eq!(fault(&beyond), expected);
    }
}

#[test]
fn bombs_do_not_go_off() {
    for body in [
        nested(20_000),
        chained(20_000),
        called(5_000),
        format!("{{{{x {}}}}}", "[".repeat(50_000)),
        "{{".repeat(100_000),
    ] {
        assert!(Templates::new([mail_text("a", "ja", "s", &body)]).is_err());
    }
}

#[test]
fn every_mistake_is_told() {
    let one = TemplateText {
        subject: Some("{{{x}}}".into()),
        ..mail_text("a", "ja", "", "{{> x}}")
    };
    let two = mail_text("b", "ja", "s", "{{log x}}");
    let errors = Templates::new([one, two]).expect_err("faults");
    let places: Vec<_> = errors
        .iter()
        .map(|error| (&*error.name, error.part))
        .collect();
    assert_eq!(places, [("a", "subject"), ("a", "body"), ("b", "body")]);
    assert_eq!(
        errors[1].to_string(),
        "template `a` in ja, body: a partial (`{{> … }}`) was not set in"
    );
}

#[test]
fn output_and_loops_are_bounded() {
    let list: Vec<u32> = (0..400).collect();
    let loops = |inner: &str| {
        format!(
            "{{{{#each l}}}}{{{{#each ../l}}}}{{{{#each ../../l}}}}{inner}{{{{/each}}}}{{{{/each}}}}{{{{/each}}}}"
        )
    };
    let long = outcome(&loops(&"x".repeat(1_000)), json!({ "l": list }));
    assert_eq!(long, Err(RenderError::TooLong("a".into())));
    let idle = outcome(&loops(""), json!({ "l": list }));
    assert_eq!(idle, Err(RenderError::TooManySteps("a".into())));
    let value = outcome("{{x}}", json!({ "x": "y".repeat(OUTPUT_BYTES_MAX + 1) }));
    assert_eq!(value, Err(RenderError::TooLong("a".into())));
}

#[test]
fn an_unknown_value_is_never_printed() {
    for body in [
        "{{x}}",
        "{{x.y}}",
        "{{missing}}",
        "{{date x}}",
        "{{money x}}",
        "{{or x y}}",
        "{{#each x}}a{{/each}}",
        "{{url x}}",
    ] {
        let outcome = outcome(body, json!({ "x": null, "y": null }));
        assert!(
            matches!(outcome, Err(RenderError::Value { .. })),
            "{body}: {outcome:?}"
        );
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_an_error() {
    for body in [
        "{{t}}",
        "{{l}}",
        "{{date s}}",
        "{{number s}}",
        "{{money s}}",
        "{{percent s}}",
        "{{url s}}",
        "{{url j}}",
        "{{days_until n}}",
    ] {
        let values =
            json!({ "t": { "a": 1 }, "l": [1], "s": "word", "j": "javascript:alert(1)", "n": 4 });
        let outcome = outcome(body, values);
        assert!(
            matches!(outcome, Err(RenderError::Value { .. })),
            "{body}: {outcome:?}"
        );
    }
}

#[test]
fn if_means_known_and_not_false() {
    for (value, is_something) in [
        (json!(null), false),
        (json!(false), false),
        (json!(true), true),
        (json!(0), true),
        (json!(""), true),
        (json!([]), true),
    ] {
        let text = text_of(
            "{{#if x}}yes{{else}}no{{/if}}{{#unless x}}!{{/unless}}",
            json!({ "x": value }),
        );
        assert_eq!(text, if is_something { "yes" } else { "no!" }, "{value}");
    }
    assert_eq!(
        text_of(
            "{{#if missing.deep}}a{{else if x}}b{{else}}c{{/if}}",
            json!({ "x": 0 })
        ),
        "b"
    );
}

#[test]
fn the_words_of_a_template_say_what_they_should() {
    let values = json!({ "d": "2026-01-14", "i": "2026-01-13T16:00:00Z", "n": 1234.5, "p": 0.6, "l": [1, 2], "s": "a", "z": 0 });
    for (body, expected) in [
        ("{{date d}}", "2026年1月14日"),
        ("{{date i}}", "2026年1月14日"),
        ("{{days_until d}}", "1"),
        ("{{days_until i}}", "1"),
        ("{{days_since d}}", "-1"),
        ("{{number n}}", "1,234.5"),
        ("{{percent p}}", "60%"),
        ("{{money n}}", "1,234円"),
        ("{{count l}}", "2"),
        ("{{count z}}", "0"),
        ("{{or missing s}}", "a"),
        ("{{or z s}}", "0"),
        ("{{or missing \"x y\"}}", "x y"),
        ("{{or (date missing) \"x\"}}", "x"),
        ("{{or (date d) \"x\"}}", "2026年1月14日"),
        ("{{#with l}}a{{/with}}", "a"),
        ("{{#each l}}{{@index}}:{{this}} {{/each}}", "0:1 1:2"),
        ("{{#each none}}a{{else}}b{{/each}}", "b"),
        ("a {{!-- {{> x}} --}}b {{! c }}d", "a b d"),
        ("{{or s \"}}\"}}", "a"),
    ] {
        assert_eq!(text_of(body, values.clone()), expected, "{body}");
    }
}

#[test]
fn the_locale_holds_though_the_view_says_nothing_of_itself() {
    let mut message = outgoing(by_mail(), template("a", "ja"), json!({ "d": "2026-01-14" }));
    message.view = json!({ "d": "2026-01-14" });
    let set = set([mail_text("a", "ja", "s", "{{date d}}")]);
    let Ok(Rendered::Mail(mail)) = render(&set, &message, None) else {
        panic!("not a mail");
    };
    assert_eq!(mail.text, "2026年1月14日\n");
}

#[test]
fn a_text_that_is_not_in_the_set_is_named() {
    let outcome = render(
        &set([]),
        &outgoing(by_mail(), template("a", "ja"), json!({})),
        None,
    );
    assert_eq!(
        outcome,
        Err(RenderError::UnknownTemplate {
            name: "a".into(),
            hash: "h1".into()
        })
    );
}

#[test]
fn deep_markup_does_not_go_off_either() {
    for piece in [
        "<div>",
        "<b>",
        "<table><tr><td>",
        "> ",
        "- ",
        "<a href='x'>",
        "<svg>",
        "<ul><li>",
    ] {
        let body = piece.repeat(200_000 / piece.len());
        let deep = Err(RenderError::TooDeep("a".into()));
        assert_eq!(outcome(&body, json!({})), deep, "{piece}");
        let message = outgoing(by_route(), template("a", "ja"), json!({}));
        let post = render(&set([mail_text("a", "ja", "s", &body)]), &message, None);
        assert!(post == deep || piece.starts_with('<'), "{piece}");
    }
    for piece in ["[", "**", "*a_", "![", "`", "<"] {
        let body = piece.repeat(100_000 / piece.len());
        assert!(outcome(&body, json!({})).is_ok(), "{piece}");
    }
}

#[test]
fn a_loop_cannot_build_deep_markup() {
    let list: Vec<u32> = (0..5_000).collect();
    let outcome = outcome("{{#each l}}<div>{{/each}}", json!({ "l": list }));
    assert_eq!(outcome, Err(RenderError::TooDeep("a".into())));
}
