//! Random workspaces: the same small definitions, and one to three workflows by chance.

use crate::dice::Dice;
use crate::rules::rule;
use crate::words::{condition, period};
use std::fmt::Write as _;
use workflow::{Files, Program, Severity, check};

const SCHEMA: &str = "\
entities:
  account:
    name: required text
    timezone: timezone
    plan: basic | pro | max
    seats: number
    flagship: boolean
    customer_since: date
    feeling: bad | neutral | good
    stance: {type: cold | warm | hot, written_by: workflows}
    touches: {type: number, written_by: workflows}
  contract:
    status: required trial | active | cancelled | expired
    start_date: date
    renewal_date: date
    seats: number
  contact:
    name: required text
    email: required email
    role: champion | admin | user
    timezone: timezone
  csm:
    name: required text
    email: email
events:
  user.logged_in: {user: required text}
  ticket.opened: {severity: required low | normal | high}
  nps.responded: {score: required number}
complete_since:
  all: 2020-01-01
";

const DEFINITIONS: &str = "\
metrics:
  logins_7d: {count: user.logged_in, over: 7d}
  users_14d: {count_distinct: user.logged_in.user, over: 14d}
  last_login: {latest: user.logged_in}
  first_ticket: {earliest: ticket.opened, since: account.customer_since}
  tickets_12h: {count: ticket.opened, over: 12h}
  bad_tickets: {count: ticket.opened, where: event.severity == high, over: 10d}
  tickets_ever: {count: ticket.opened}
  score_sum: {sum: nps.responded.score, over: 30d}
  score_average: {average: nps.responded.score, over: 21d}
  score_least: {min: nps.responded.score, since: contract.start_date}
  usage: {formula: users_14d / account.seats}
  tasks_done: {count: task.done, over: 30d}
  good_tasks: {count: task.done, where: event.outcome == \"good\", over: 60d}
  last_done: {latest: task.done}
  overdue: {count: task.overdue, over: 30d}
  mails: {count: message.sent, over: 14d}
  tips_12h: {count: message.sent, where: event.topic == tips, over: 12h}
  people: {count_distinct: message.sent.contact, over: 20d}
  replies: {count: message.replied, over: 30d}
  runs_ended: {count: workflow.ended, where: event.how == finished, over: 25d}
  stages: {count: stage.changed, over: 20d}
segments:
  silent: logins_7d == 0
  big: account.seats >= 50
  loud: tickets_ever > 2 or bad_tickets > 0
";

const LABELS: &str = "\
labels:
  touch:
    high: big
    low: account.plan == basic
    tech: otherwise
  stage:
    trial: contract.status == trial
    grown: account.seats >= 40
    calm: account.seats < 40
  mood:
    good: score_average >= 7
    bad: score_average < 7
    none: otherwise
";

const POLICIES: &str = "\
calendar:
  timezone: Asia/Tokyo
  business_days: Mon-Fri
  holidays: holidays/days.yaml
  sending_hours: 09:00-18:00
  fiscal_year_starts: April
digest: business day 09:00
topics:
  news: {title: News, purpose: contractual}
  tips: {title: Tips, purpose: service}
defaults:
  from: Success <success@vendor.example>
  locale: en
  currency: EUR
sender:
  name: Vendor
  postal_address: Somewhere 1
  contact: success@vendor.example
webhooks:
  crm: {url: 'https://crm.example/hook'}
routes:
  csm: {email: csm.email, else: desk}
  desk: {email: '\"desk@vendor.example\"'}
";

const HOLIDAYS: &str = "2026-02-23: One\n2026-03-20: Two\n2026-04-29: Three\n2026-05-04: Four\n2026-10-12: Five\n2026-11-03: Six\n2026-11-23: Seven\n2026-12-25: Eight\n";
const TEMPLATE: &str = "---\nsubject: \"Hello\"\n---\nHello\n";
/// How often chance tries again where the checker refuses what it wrote.
const TRIES_MAX: usize = 30;
/// How many workflows there are at most.
const WORKFLOWS_MAX: i64 = 3;

/// What is left to chance of a workspace.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    pub(crate) health: String,
    pub(crate) risks: String,
    pub(crate) limits: String,
    pub(crate) rules: Vec<String>,
}

impl Texts {
    /// The same with other workflows.
    pub(crate) fn with(&self, rules: Vec<String>) -> Self {
        Self {
            rules,
            ..self.clone()
        }
    }
}

fn risks(dice: &mut Dice) -> String {
    let mut text = "risks:\n".to_owned();
    for (name, title) in [("idle", "Idle"), ("noisy", "Noisy")] {
        let of = "definition";
        writeln!(text, "  {name}:\n    title: {title}").expect("text takes text");
        writeln!(text, "    opens: {}", condition(dice, of)).expect("text takes text");
        if dice.chance(60) {
            writeln!(text, "    for: {}", period(dice)).expect("text takes text");
        }
        writeln!(text, "    closes: {}", condition(dice, of)).expect("text takes text");
        if dice.chance(70) {
            let high = condition(dice, of);
            writeln!(text, "    severity: {{high: '{high}', normal: otherwise}}")
                .expect("text takes text");
        }
    }
    text
}

/// What health is made of: up to three measures on each side.
const MEASURES: [&str; 10] = [
    "logins: {value: logins_7d, green: 2, yellow: 1",
    "users: {value: users_14d, green: 2, yellow: 1",
    "usage: {value: usage, green: 0.05, yellow: 0.02",
    "trouble: {value: bad_tickets, green: 0, yellow: 1, better: lower",
    "absence: {value: days_since(last_login), green: 4, yellow: 12, better: lower",
    "score: {value: score_average, green: 7, yellow: 5",
    "least: {value: score_least else score_sum, green: account.seats / 8, yellow: 2",
    "feeling: {value: account.feeling, green: good, yellow: neutral",
    "seats: {value: account.seats, green: contract.seats * 8 else 30, yellow: 12",
    "share: {value: contract.seats, green: 8, yellow: 4",
];

fn health(dice: &mut Dice) -> String {
    let mut text = "health:\n".to_owned();
    let first = dice.between(2, 8) * 10;
    let mut left = MEASURES.to_vec();
    for (side, weight) in [("outcome", first), ("experience", 100 - first)] {
        writeln!(text, "  {side}:\n    weight: {weight}%\n    measures:").expect("text takes text");
        let all: [&[i64]; 3] = [&[100], &[70, 30], &[50, 30, 20]];
        let weights = *dice.pick(&all);
        for weight in weights {
            let index = dice.between(0, i64::try_from(left.len()).expect("few") - 1);
            let measure = left.remove(usize::try_from(index).expect("a place"));
            let stale = dice.pick(&["", ", stale_after: 5d", ", stale_after: 10 business days"]);
            writeln!(text, "      {measure}, weight: {weight}%{stale}}}").expect("text takes text");
        }
    }
    let (margin, hold) = (
        dice.pick(&["0", "5", "12"]),
        dice.pick(&["2d", "12h", "5h", "3 business days"]),
    );
    let needs = dice.pick(&["0%", "40%", "60%"]);
    writeln!(
        text,
        "  bands: {{green: 70, yellow: 40}}\n  margin: {margin}\n  needs: {needs}"
    )
    .expect("text takes text");
    if dice.chance(75) {
        writeln!(text, "  hold: {hold}").expect("text takes text");
    }
    if dice.chance(40) {
        writeln!(text, "  red_if: {}", condition(dice, "health")).expect("text takes text");
    }
    text
}

/// One or two limits, what happens at them, and how long a message waits.
fn limits(dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.chance(70) {
        text.push_str("limits:\n");
        for _ in 0..dice.between(1, 2) {
            let (at_most, window) = (
                dice.between(1, 2),
                dice.pick(&["5d", "14d", "50h", "3 business days", "10 business days"]),
            );
            let per = dice.pick(&["contact", "account"]);
            let topics = dice.pick(&["", ", topics: [tips]", ", topics: [tips]"]);
            writeln!(
                text,
                "  - {{at_most: {at_most}, in: {window}, per: {per}{topics}}}"
            )
            .expect("text takes text");
        }
        writeln!(text, "over_limit: {}", dice.pick(&["delay", "skip"])).expect("text takes text");
    }
    writeln!(
        text,
        "delay_at_most: {}",
        dice.pick(&["2d", "10d", "60h", "3 business days"])
    )
    .expect("text takes text");
    text
}

/// Texts, each of which the checker lets pass.
pub(crate) fn texts(dice: &mut Dice) -> Texts {
    let mut texts = Texts {
        health: String::new(),
        risks: String::new(),
        limits: limits(dice),
        rules: Vec::new(),
    };
    for _ in 0..TRIES_MAX {
        texts.health = health(dice);
        if program(&texts).is_some() {
            break;
        }
    }
    for _ in 0..TRIES_MAX {
        texts.risks = risks(dice);
        if program(&texts).is_some() {
            break;
        }
    }
    for number in 0..dice.between(1, WORKFLOWS_MAX) {
        for _ in 0..TRIES_MAX {
            // One workflow may write fields: who writes first is told by no page.
            let text = rule(dice, number, number == 0);
            texts.rules.push(text);
            if program(&texts).is_some() {
                break;
            }
            texts.rules.pop();
        }
    }
    texts
}

/// The program of these workflows; none if the checker finds a mistake.
pub(crate) fn program(texts: &Texts) -> Option<Program> {
    let mut files = Files::new();
    let policies = format!("{POLICIES}{}", texts.limits);
    let definitions = [
        ("schema", SCHEMA),
        ("metrics", DEFINITIONS),
        ("labels", LABELS),
        ("policies", &policies),
        ("health", &texts.health),
        ("risks", &texts.risks),
    ];
    for (name, text) in definitions {
        files.insert(
            format!("workflows/definitions/{name}.yaml").into(),
            text.into(),
        );
    }
    files.insert("workflows/holidays/days.yaml".into(), HOLIDAYS.into());
    files.insert("templates/hello.en.hbs".into(), TEMPLATE.into());
    for (number, text) in texts.rules.iter().enumerate() {
        files.insert(
            format!("workflows/rule-{number}.yaml").into(),
            text.as_str().into(),
        );
    }
    let checked = check(&files);
    let mistakes: Vec<_> = checked
        .diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .collect();
    if mistakes.is_empty() {
        return checked.program;
    }
    let is_of_rules = |one: &&workflow::Diagnostic| {
        format!("{one:?}").contains("workflows/rule-")
            || format!("{one:?}").contains("risks.yaml")
            || format!("{one:?}").contains("health.yaml")
    };
    assert!(
        mistakes.iter().all(is_of_rules),
        "the definitions are right: {mistakes:#?}"
    );
    None
}
