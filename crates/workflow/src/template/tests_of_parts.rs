//! Partials, layouts, texts by hand and MJML, tested as small workspaces.

use super::shelf::{PARTIALS_DEPTH_MAX, PARTIALS_MAX};
use super::{Parsed, Shelf, check, parse};
use crate::Files;
use crate::expression::{Scope, fixture};

const MAIL: &str = "templates/intro.ja.hbs";

fn files(files: &[(&str, &str)]) -> Files {
    let mut all: Files = files
        .iter()
        .map(|(path, text)| ((*path).into(), (*text).into()))
        .collect();
    all.entry(MAIL.into())
        .or_insert_with(|| "---\nsubject: s\n---\n{{> a}}\n".into());
    all
}

fn scope() -> Scope {
    Scope {
        has_contact: true,
        has_csm: true,
        has_unsubscribe_url: true,
        ..fixture::contract()
    }
}

/// The mail of a workspace, or what is said of it with the file where it is said.
fn read(given: &[(&str, &str)]) -> Result<Parsed, Vec<String>> {
    let files = files(given);
    let (parsed, mut found) = parse(MAIL, &files[MAIL], &Shelf::of(&files));
    if let Some(parsed) = &parsed {
        found.extend(check(&[parsed], &scope(), &[], "ja").1);
    }
    let said = |one: &crate::Diagnostic| {
        let text = files.get(&one.file).map_or("", |text| text);
        assert!(
            one.span.start <= one.span.end && one.span.end <= text.len(),
            "{one:?}"
        );
        let at = &text[one.span.start..one.span.end];
        format!("{} {} `{at}` {}", one.code, one.file, one.message)
    };
    match parsed {
        Some(parsed) if found.is_empty() => Ok(parsed),
        _ => Err(found.iter().map(said).collect()),
    }
}

fn refused(given: &[(&str, &str)], start: &str) {
    let said = read(given).expect_err(start);
    assert!(
        said.len() == 1 && said[0].starts_with(start),
        "{start}: {said:#?}"
    );
}

#[test]
fn a_partial_is_set_in_for_its_locale() {
    let mail = read(&[
        (MAIL, "---\nsubject: s\n---\nHi {{> a}}!\n{{! {{> none}} }}"),
        ("templates/partials/a.hbs", "all\n"),
        ("templates/partials/a.ja.hbs", "{{> b}}{{contact.name}}\n"),
        ("templates/partials/b.hbs", "b: "),
    ]);
    let mail = mail.expect("it is right");
    assert_eq!(
        &*mail.text.body,
        "Hi b: {{contact.name}}!\n{{! {{> none}} }}"
    );
}

#[test]
fn a_mistake_in_a_partial_is_shown_in_its_own_file() {
    let partial = ("templates/partials/a.hbs", "x {{contact.nam}} y");
    refused(&[partial], "E701 templates/partials/a.hbs `contact.nam` ");
    let partial = ("templates/partials/a.hbs", "x {{{contact.name}}} y");
    refused(
        &[partial],
        "E707 templates/partials/a.hbs `{{{contact.name}}}` ",
    );
    let mail = (MAIL, "---\nsubject: s\n---\n{{> a}} {{contact.nam}}");
    let partial = ("templates/partials/a.hbs", "{{contact.name}}");
    refused(
        &[mail, partial],
        "E701 templates/intro.ja.hbs `contact.nam` ",
    );
}

#[test]
fn circles_are_found_and_depth_and_number_have_their_edges() {
    let own = ("templates/partials/a.hbs", "{{#if csm.name}}{{> a}}{{/if}}");
    refused(
        &[own],
        "E710 templates/partials/a.hbs `{{> a}}` the partial `a` sets itself in",
    );
    let (one, two) = (
        ("templates/partials/a.hbs", "{{> b}}"),
        ("templates/partials/b.hbs", "{{> a}}"),
    );
    refused(&[one, two], "E710 templates/partials/b.hbs `{{> a}}` ");
    refused(
        &[],
        "E710 templates/intro.ja.hbs `{{> a}}` there is no partial `a`",
    );
    let chain = |length: usize| -> Files {
        let part = |at: usize| match at + 1 < length {
            true => format!("{{{{> p{}}}}}", at + 1),
            false => "end".to_owned(),
        };
        let parts = (0..length).map(|at| {
            (
                format!("templates/partials/p{at}.hbs").into(),
                part(at).into(),
            )
        });
        parts.collect()
    };
    for (length, is_right) in [(PARTIALS_DEPTH_MAX, true), (PARTIALS_DEPTH_MAX + 1, false)] {
        let files = chain(length);
        let text = "---\nsubject: s\n---\n{{> p0}}";
        let (parsed, found) = parse(MAIL, text, &Shelf::of(&files));
        assert_eq!(parsed.is_some(), is_right, "{length}: {found:?}");
        assert!(is_right || found[0].code == "E708");
    }
    for (count, is_right) in [(PARTIALS_MAX, true), (PARTIALS_MAX + 1, false)] {
        let text = format!("---\nsubject: s\n---\n{}", "{{> a}}".repeat(count));
        let mail = read(&[(MAIL, &text), ("templates/partials/a.hbs", "")]);
        assert_eq!(mail.is_ok(), is_right, "{count}");
    }
    // What doubles at each level would be 2^30 pieces, or gigabytes.
    let twice: Vec<(String, String)> = (0..30)
        .map(|at| {
            (
                format!("templates/partials/d{at}.hbs"),
                format!("{{{{> d{0}}}}}{{{{> d{0}}}}}", at + 1),
            )
        })
        .collect();
    let twice: Vec<(&str, &str)> = twice
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    let mail = (MAIL, "---\nsubject: s\n---\n{{> d0}}");
    assert!(read(&[&twice[..], &[mail]].concat()).is_err());
}

#[test]
fn a_layout_is_found_by_name_or_is_the_default() {
    let page = "<!doctype html><html lang=\"{{> lang}}\"><body>{{> body}}{{> a}}</body></html>";
    let shared = [
        ("templates/partials/a.hbs", "{{contact.name}}"),
        ("templates/layouts/default.hbs", page),
    ];
    let mail = read(&shared).expect("it is right");
    let layout = mail.text.layout.expect("it has the default one");
    assert_eq!(
        &*layout,
        "<!doctype html><html lang=\"\u{ffff}lang\u{ffff}\"><body>\u{ffff}body\u{ffff}{{contact.name}}</body></html>"
    );
    let own = (MAIL, "---\nsubject: s\n---\n<html><body>x</body></html>");
    let mail = read(&[&shared[..], &[own]].concat()).expect("it is right");
    assert_eq!(mail.text.layout, None, "a page of its own");
    for (layout, start) in [
        ("<p>{{> body}}</p>", "E709 templates/layouts/default.hbs"),
        ("<html></html>", "E709 templates/layouts/default.hbs"),
        (
            "<html>{{> body}}{{> body}}</html>",
            "E709 templates/layouts/default.hbs",
        ),
        (
            "<html>{{#if csm.name}}{{> body}}{{/if}}</html>",
            "E709 templates/layouts/default.hbs",
        ),
        (
            "<html>\u{ffff}body\u{ffff}</html>",
            "E709 templates/layouts/default.hbs",
        ),
        (
            "<html>{{> body}}{{nobody}}</html>",
            "E701 templates/layouts/default.hbs `nobody`",
        ),
        (
            "<html>{{> body}}<a href=\"{{contact.name}}\"></html>",
            "E707 templates/layouts/default.hbs",
        ),
    ] {
        refused(
            &[shared[0], ("templates/layouts/default.hbs", layout)],
            start,
        );
    }
    let other = (MAIL, "---\nsubject: s\nlayout: defalt\n---\nx");
    refused(
        &[shared[0], shared[1], other],
        "E710 templates/intro.ja.hbs `defalt` there is no layout",
    );
    let slack = (MAIL, "---\nchannel: slack\nlayout: default\n---\nx");
    refused(
        &[shared[0], shared[1], slack],
        "E709 templates/intro.ja.hbs",
    );
}

#[test]
fn the_hash_changes_with_whatever_is_sent() {
    let base = [
        ("templates/partials/a.hbs", "one"),
        ("templates/layouts/default.hbs", "<html>{{> body}}</html>"),
        ("templates/intro.ja.txt.hbs", "text"),
    ];
    let hash = |given: &[(&str, &str)]| read(given).expect("it is right").text.hash;
    let first = hash(&base);
    assert_eq!(first, hash(&base));
    for (at, other) in [(0, "two"), (1, "<html><p>{{> body}}</html>"), (2, "texts")] {
        let mut changed = base;
        changed[at].1 = other;
        assert_ne!(first, hash(&changed), "{}", base[at].0);
        let without: Vec<_> = base
            .iter()
            .filter(|one| at == 0 || **one != base[at])
            .copied()
            .collect();
        assert!(at == 0 || first != hash(&without));
    }
}

#[test]
fn a_text_by_hand_is_checked_like_the_mail() {
    let mail = (MAIL, "---\nsubject: s\n---\nx");
    let text = ("templates/intro.ja.txt.hbs", "Hello {{contact.name}} <b>");
    let parsed = read(&[mail, text]).expect("it is right");
    assert_eq!(
        parsed.text.by_hand.as_deref(),
        Some("Hello {{contact.name}} <b>")
    );
    let text = ("templates/intro.ja.txt.hbs", "Hello {{contact.nam}}");
    refused(
        &[mail, text],
        "E701 templates/intro.ja.txt.hbs `contact.nam`",
    );
}

const NEWSLETTER: &str = "---
subject: s
format: mjml
---
<mjml><mj-head><mj-title>News</mj-title><mj-attributes><mj-all font-family=\"serif\" /></mj-attributes></mj-head>
<mj-body>{{! who }}
{{#if csm.name}}
  <mj-section><mj-column><mj-text>Hello {{contact.name}}, I am {{csm.name}}.<br>Bye</mj-text></mj-column></mj-section>
{{/if}}
  <mj-section><mj-column>
    <mj-text>{{#each contacts}}<p>{{contact.name}}</p>{{/each}}</mj-text>
    <mj-button href=\"{{url unsubscribe_url}}\">Leave</mj-button>
  </mj-column></mj-section>
</mj-body></mjml>
";

#[test]
fn mjml_becomes_a_page_that_keeps_every_value_and_fetches_nothing() {
    let mail = read(&[(MAIL, NEWSLETTER)]).unwrap_or_else(|said| panic!("{said:#?}"));
    let body = &*mail.text.body;
    assert!(body.starts_with("<!doctype html>"), "{body}");
    assert!(
        body.contains("lang=\"ja\"") && !body.contains("zqmark"),
        "{body}"
    );
    for tag in super::scan::tags(NEWSLETTER) {
        assert!(
            body.contains(&NEWSLETTER[tag.clone()]),
            "{}",
            &NEWSLETTER[tag]
        );
    }
    assert!(!body.contains("googleapis"), "{body}");
}

#[test]
fn what_mjml_can_not_keep_is_refused_where_it_stands() {
    let with = |body: &str| {
        format!("---\nsubject: s\nformat: mjml\n---\n<mjml><mj-body>{body}</mj-body></mjml>")
    };
    let section = |inner: &str| {
        with(&format!(
            "<mj-section><mj-column>{inner}</mj-column></mj-section>"
        ))
    };
    for (text, start) in [
        (
            section("{{contact.name}}"),
            "E707 templates/intro.ja.hbs `{{contact.name}}` ",
        ),
        (
            section("<mj-text>{{contact.nam}}</mj-text>"),
            "E701 templates/intro.ja.hbs `contact.nam` ",
        ),
        (
            section("<mj-text color=\"{{contact.name}}\">x</mj-text>"),
            "E707 templates/intro.ja.hbs `{{contact.name}}` ",
        ),
        (
            section("<mj-text nonsense=\"{{url unsubscribe_url}}\">x</mj-text>"),
            "E707 templates/intro.ja.hbs `{{url unsubscribe_url}}` ",
        ),
        (
            section("<mj-text>{{#if csm.name}}x</mj-text>"),
            "E709 templates/intro.ja.hbs",
        ),
        (
            with("<mj-include path=\"/etc/passwd\" />"),
            "E709 templates/intro.ja.hbs",
        ),
        (with("<mj-section>"), "E709 templates/intro.ja.hbs"),
        (
            "---\nsubject: s\nformat: mjml\n---\nnothing".to_owned(),
            "E709 templates/intro.ja.hbs",
        ),
        (
            with(&format!(
                "{}{{{{#if csm.name}}}}{{{{/if}}}}",
                "<mj-wrapper>".repeat(5_000)
            )),
            "E708 templates/intro.ja.hbs",
        ),
        (
            "---\nchannel: slack\nformat: mjml\n---\n<mjml></mjml>".to_owned(),
            "E709 templates/intro.ja.hbs",
        ),
    ] {
        refused(&[(MAIL, &text)], start);
    }
}
