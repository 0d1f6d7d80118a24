//! Workflows read whole: a small workspace, and what becomes of it.

mod knowledge;
mod loops;
mod parts;
mod scenario;
mod unused;

use crate::{Checked, Files, Program, check, diagnostic};

/// A workspace in which every name that the cases use exists.
const DEFINITIONS: &str = "\
entities:
  account:
    name: required text
    arr: money
    since: date
    size: small | middle | large
    reference: {type: asked | agreed, written_by: workflows}
  contract: {status: required trial | active, renewal_date: date, seats: number}
  contact: {name: required text, email: required email, phone: text, role: champion | admin | user}
  csm: {name: required text, email: email, slack: text}
events:
  nps.responded: {contact: required contact, score: required number, comment: text}
  user.logged_in: {user: required text}
complete_since: {all: 2025-01-01}
metrics:
  logins: {count: user.logged_in, over: 7d}
risks:
  silence: {title: Silence, opens: logins < 1, closes: logins > 3}
  noise: {title: Noise, opens: logins > 100, closes: logins < 50}
calendar: {timezone: Asia/Tokyo}
topics:
  terms: {title: Terms, purpose: contractual}
defaults: {from: Us <us@vendor.example>, locale: en}
digest: business day 09:00
routes:
  csm: {slack: csm.slack, else: everyone}
  everyone: {channel: \"#cs\"}
webhooks:
  crm: {url: \"https://crm.example/hook\", secret: CRM_SECRET}
";

/// A workspace of some workflows, and of some templates in English.
fn files(workflows: &[&str], templates: &[(&str, &str)]) -> Files {
    let mut files = Files::from([("workflows/base.yaml".into(), DEFINITIONS.into())]);
    for (at, text) in workflows.iter().enumerate() {
        files.insert(format!("workflows/w{at}.yaml").into(), (*text).into());
    }
    for (name, body) in templates {
        let text = format!("---\nsubject: Hello\n---\n{body}\n");
        files.insert(format!("templates/{name}.en.hbs").into(), text.into());
    }
    files
}

fn checked(workflows: &[&str], templates: &[(&str, &str)]) -> (Checked, String) {
    let files = files(workflows, templates);
    let mut checked = check(&files);
    // Not each case uses all that the workspace offers.
    let is_case = |file: &str| file.starts_with("workflows/w");
    checked
        .diagnostics
        .retain(|it| it.code != "W607" || is_case(&it.file));
    let shown = diagnostic::frames(&checked.diagnostics, &files, false);
    (checked, shown)
}

/// The program of a workspace without a mistake.
fn program(workflows: &[&str], templates: &[(&str, &str)]) -> Program {
    let (checked, shown) = checked(workflows, templates);
    checked.program.unwrap_or_else(|| panic!("{shown}"))
}
