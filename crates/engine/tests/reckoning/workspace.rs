//! Workspaces for the twins: the example, and beside its workflows some that chance wrote.

use crate::dice::Dice;
use crate::rules::{patient, rule, waiting};
use workflow::{Files, Program, Severity, check};

/// A file of the example, with its path in the workspace.
macro_rules! example {
    ($($path:literal),* $(,)?) => {
        [$((
            $path,
            include_str!(concat!("../../../../tests/data/example/", $path)),
        )),*]
    };
}

/// The files of the example.
const EXAMPLE: [(&str, &str); 45] = example![
    "templates/champion-welcome.ja.hbs",
    "templates/onboarding-done.ja.hbs",
    "templates/onboarding-first-win.ja.hbs",
    "templates/onboarding-graduation.ja.hbs",
    "templates/onboarding-invite-team.ja.hbs",
    "templates/onboarding-quick-win.ja.hbs",
    "templates/onboarding-stuck.ja.hbs",
    "templates/onboarding-training.ja.hbs",
    "templates/onboarding-webinar.ja.hbs",
    "templates/onboarding-welcome.ja.hbs",
    "templates/reference-agreed.ja.hbs",
    "templates/reference-reminder.ja.hbs",
    "templates/reference-request.ja.hbs",
    "templates/renewal-intro.ja.hbs",
    "templates/renewal-opened.ja.hbs",
    "templates/renewal-review-danger.ja.hbs",
    "templates/renewal-review.ja.hbs",
    "templates/renewal-silent.ja.hbs",
    "templates/renewal-sponsor.ja.hbs",
    "templates/renewal-thanks.ja.hbs",
    "templates/renewal-value.ja.hbs",
    "templates/reports-customer-story.ja.hbs",
    "templates/reports-how-to.ja.hbs",
    "templates/reports-webinar.ja.hbs",
    "templates/risk-closed.ja.hbs",
    "templates/risk-implementation-help.ja.hbs",
    "templates/risk-opened.ja.hbs",
    "templates/risk-product-tips.ja.hbs",
    "templates/risk-product-voice.ja.hbs",
    "templates/risk-sentiment-apology.ja.hbs",
    "templates/risk-still-open.ja.hbs",
    "templates/risk-support-followup.ja.hbs",
    "workflows/adopt-reports.yaml",
    "workflows/advocacy.yaml",
    "workflows/definitions/health.yaml",
    "workflows/definitions/metrics.yaml",
    "workflows/definitions/policies.yaml",
    "workflows/definitions/risks.yaml",
    "workflows/definitions/schema.yaml",
    "workflows/definitions/segments.yaml",
    "workflows/holidays/jp.yaml",
    "workflows/onboarding.yaml",
    "workflows/renewal-review.yaml",
    "workflows/renewal.yaml",
    "workflows/risk.yaml",
];
/// Metrics of the kinds that the example has no use for.
const MORE: &str = "\
metrics:
  logins_6h: {count: user.logged_in, over: 6h}
  logins_24h: {count: user.logged_in, over: 24h}
  users_24h: {count_distinct: user.logged_in.user, over: 24h}
  score_sum_24h: {sum: nps.responded.score, over: 24h}
  score_sum_30d: {sum: nps.responded.score, over: 30d}
  score_average_12h: {average: nps.responded.score, over: 12h}
  score_least_60d: {min: nps.responded.score, over: 60d}
  score_most_since: {max: nps.responded.score, since: account.customer_since}
  score_most_6h: {max: nps.responded.score, over: 6h}
  first_meeting_at: {earliest: meeting.held, since: contract.start_date}
  ticket_at_24h: {latest: ticket.opened, over: 24h}
  first_ticket_60d: {earliest: ticket.opened, over: 60d}
  tickets_ever: {count: ticket.opened}
";
/// How many workflows chance writes at most.
const WRITTEN_MAX: i64 = 4;
/// How often chance tries again where the checker refuses what it wrote.
const TRIES_MAX: usize = 24;

/// The example's workflows, and some more.
pub(crate) fn workspace(dice: &mut Dice) -> (Program, Files) {
    let mut files = example(|_| true);
    for number in 0..dice.between(1, WRITTEN_MAX) {
        if let Some((path, text)) = written(dice, number) {
            files.insert(path, text);
        }
    }
    files.insert(
        "workflows/written-patient.yaml".into(),
        patient(dice).into(),
    );
    for (name, text) in waiting(dice) {
        files.insert(format!("workflows/written-{name}.yaml").into(), text.into());
    }
    let program = check(&files).program;
    let program = program.expect("a workspace without mistakes has a program");
    (program, files)
}

/// Files of the example.
fn example(is_wanted: impl Fn(&str) -> bool) -> Files {
    let all = EXAMPLE.iter().filter(|(path, _)| is_wanted(path));
    let more = ("workflows/definitions/more.yaml", MORE);
    all.chain([&more])
        .map(|(path, text)| ((*path).into(), (*text).into()))
        .collect()
}

/// A workflow by chance which the checker lets pass.
fn written(dice: &mut Dice, number: i64) -> Option<(Box<str>, Box<str>)> {
    let path: Box<str> = format!("workflows/written-{number}.yaml").into();
    for _ in 0..TRIES_MAX {
        let text: Box<str> = rule(dice, number).into();
        let mut files = example(|path| {
            path.contains("definitions") || path.contains("jp.yaml") || path.contains("invite")
        });
        files.insert(path.clone(), text.clone());
        let checked = check(&files);
        let mut mistakes = checked.diagnostics.iter();
        if mistakes.all(|one| one.severity == Severity::Warning) {
            return Some((path, text));
        }
    }
    None
}
