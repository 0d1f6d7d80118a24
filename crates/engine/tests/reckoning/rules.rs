//! Random workflows, as somebody might write them.

use crate::dice::Dice;

/// What time alone flips, and what facts flip.
const CONDITIONS: [&str; 84] = [
    "contract.status == active",
    "contract.renewal_status == open",
    "days_until(contract.renewal_date) in 20..90",
    "days_until(contract.renewal_date) <= 60",
    "days_since(contract.start_date) > 30",
    "days_since(account.customer_since) in 10..45",
    "days_since(account.customer_since) > 120",
    "business_days_until(contract.renewal_date) <= 40",
    "business_days_since(last_login_at) >= 4",
    "hours_since(last_login_at) >= 37",
    "hours_since(last_meeting_at) < 12.5",
    "hours_since(last_login_at) - hours_since(last_meeting_at) > 30",
    "hours_since(last_login_at) > days_since(account.customer_since)",
    "(hours_since(last_login_at) else 0) * 2 - hours_since(last_meeting_at) > 55.25",
    "weekly_active_users < 2",
    "weekly_active_users == 0",
    "seat_usage < 30%",
    "usage_trend <= -40%",
    "change(weekly_active_users_28d) > 10%",
    "previous(weekly_active_users_28d) > weekly_active_users_28d",
    "nps < 30%",
    "csat >= 3",
    "urgent_tickets_30d >= 1",
    "reference_asks_365d == 0",
    "report_users_14d == 0",
    "stage == onboarding",
    "stage in [adoption, renewal]",
    "touch == low",
    "health.band == red",
    "health.band != green",
    "any_open_risk",
    "contract.renewal_date in this quarter",
    "contract.renewal_date in next month",
    "champion is known",
    "count(open_risks where days_since(risk.opened_at) >= 3) >= 1",
    "count(open_risks where hours_since(risk.opened_at) > 30) == 0",
    "count(contacts where contact.role == champion and days_since(account.customer_since) > 40) >= 1",
    "(account.arr else 0) * 2 > 3M and days_until(contract.renewal_date) < 200",
    // Every kind of metric, in windows of hours, of days, since a date and of all time.
    "logins_6h > 0",
    "previous(logins_6h) >= logins_6h",
    "change(logins_24h) < 20%",
    "users_24h >= 2",
    "score_sum_24h > 6",
    "score_sum_30d in 5..25",
    "score_average_12h > 4",
    "score_least_60d <= 3",
    "score_most_since >= 9",
    "score_most_6h - score_least_60d > 2",
    "days_since(first_meeting_at) in 5..40",
    "hours_since(ticket_at_24h) > 3",
    "ticket_at_24h is known",
    "days_since(first_ticket_60d) > 20",
    "tickets_ever >= 2",
    "trainings_done == 0",
    "deployment_rate >= 20%",
    // Every kind of name and word.
    "advocate_ready",
    "not first_value_reached",
    "(onboarding_complete else false) != true",
    "health.score >= 55",
    "health.co > health.cx",
    "health.co_band == yellow",
    "health.cx_band in [red, yellow]",
    "product",
    "not sentiment and not support",
    "count(open_risks) >= 2",
    "count(open_risks where risk.severity == high or days_since(risk.opened_at) > 6) > 0",
    "count(contacts where contact.role in [admin, champion]) >= 2",
    "contacts contains champion",
    "champion.locale == \"ja\"",
    "account.name contains \"a\"",
    "account.arr >= 1M",
    "account.arr / contract.seats < 50k",
    "account.goal_progress >= 40% or account.goal_progress is unknown",
    "account.csm_sentiment >= neutral",
    "(account.reference_status else never_asked) in [never_asked, asked]",
    "account.flagship else false",
    // Every function, operator and period.
    "min(days_since(last_meeting_at), days_since(last_login_at)) > 6",
    "max(days_since(last_meeting_at) else 9, days_since(account.customer_since)) <= 40",
    "round(days_since(account.customer_since) / 7) in 3..9",
    "-days_until(contract.renewal_date) + 30 > -20",
    "contract.renewal_date in this week",
    "account.customer_since in last year",
    "last_login_at in last week",
    "first_meeting_at in this month",
];

/// Conditions over what a run belongs to.
fn of_subject(dice: &mut Dice, for_each: &str) -> Option<&'static str> {
    let all: &[&str] = match for_each {
        "contact" => &[
            "contact.role == champion",
            "contact.locale is unknown",
            "contact.name contains \"t\"",
        ],
        "contract" => &[
            "contract.auto_renews else false",
            "contract.seats >= 10",
            "days_since(contract.start_date) in 20..60",
        ],
        "risk" => &[
            "risk.open",
            "risk.category in [product, support]",
            "risk.severity >= high",
            "hours_since(risk.opened_at) > 50",
            "days_since(risk.opened_at) in 2..9",
            "risk.title contains \"リスク\"",
        ],
        _ => return None,
    };
    Some(*dice.pick(all))
}

/// A condition of one or two parts, over an account.
pub(crate) fn condition(dice: &mut Dice) -> String {
    condition_of(dice, "account")
}

fn condition_of(dice: &mut Dice, for_each: &str) -> String {
    let own = dice
        .chance(25)
        .then(|| of_subject(dice, for_each))
        .flatten();
    let one = own.unwrap_or_else(|| *dice.pick(&CONDITIONS));
    let other = *dice.pick(&CONDITIONS);
    match dice.between(0, 9) {
        0..=3 => one.to_owned(),
        4 | 5 => format!("({one}) and ({other})"),
        6 | 7 => format!("({one}) or ({other})"),
        8 => format!("not ({one})"),
        _ => format!("({one}) and not ({other})"),
    }
}

fn period(dice: &mut Dice) -> &'static str {
    dice.pick::<&str>(&[
        "90m",
        "12h",
        "30h",
        "1d",
        "3d",
        "2w",
        "2 business days",
        "7 business days",
    ])
}

fn schedule(dice: &mut Dice) -> &'static str {
    dice.pick::<&str>(&[
        "every: day 09:00",
        "every: business day 08:30",
        "every: Mon,Thu 17:45",
        "every: month 1 09:00",
        "every: month last 23:30",
        "every: month first business day 09:00",
        "every: quarter first business day 09:00",
        "cron: \"30 2 * * *\"",
        "cron: \"*/45 9-17 1,15 * *\"",
    ])
}

/// A workflow in which only time moves the runs: it waits for a day, and is left on another.
pub(crate) fn patient(dice: &mut Dice) -> String {
    let (awaited, left) = (dice.between(20, 250), dice.between(1, 120));
    let (hours, reached) = (dice.between(3, 900), dice.between(60, 600));
    format!(
        "workflow: written-patient\ntitle: Patient\nstatus: live\nstart:\n  when: contract.renewal_status == open\n  existing: include\nonce_per: occurrence\n\
         while: days_until(contract.renewal_date) > {left}\n\
         goal: {{when: days_since(account.customer_since) > {reached}, within: 250d}}\nsteps:\n\
         \x20 - id: day\n    wait: {{until: days_until(contract.renewal_date) <= {awaited}, at_most: 120d, otherwise: continue}}\n\
         \x20 - id: told\n    alert: csm\n    text: The day has come\n    hours: any\n\
         \x20 - id: silence\n    wait: {{until: hours_since(last_login_at) > {hours}, at_most: 200d, otherwise: stop}}\n\
         \x20 - id: asked\n    alert: csm\n    text: They are silent\n    hours: any\n"
    )
}

/// More of that kind, each with its name: what is awaited hides behind a name, or inside a list.
pub(crate) fn waiting(dice: &mut Dice) -> Vec<(&'static str, String)> {
    let days = dice.between(20, 250);
    let hours = dice.between(3, 900);
    let since = dice.between(1, 200);
    let open = dice.between(5, 400);
    let own = format!("hours_since(last_login_at) > {hours}");
    [
        (
            "near",
            format!("with: {{is_near: days_until(contract.renewal_date) <= {days}}}\n"),
            "is_near".to_owned(),
        ),
        (
            "quiet",
            "with: {quiet_hours: hours_since(last_login_at)}\n".to_owned(),
            format!("quiet_hours > {hours}"),
        ),
        (
            "crowd",
            String::new(),
            format!("count(contacts where days_since(account.customer_since) > {since}) >= 1"),
        ),
        (
            "silence",
            String::new(),
            format!("count(contacts where contact.email is known and {own}) >= 1"),
        ),
        (
            "risks",
            String::new(),
            format!("count(open_risks where hours_since(risk.opened_at) > {open}) >= 1"),
        ),
    ]
    .map(|(name, with, until)| {
        let text = format!(
            "workflow: written-{name}\ntitle: Waiting\nstatus: live\nstart:\n  when: contract.renewal_status == open\n  existing: include\nonce_per: occurrence\n\
             {with}steps:\n\
             \x20 - id: awaited\n    wait: {{until: '{until}', at_most: 250d, otherwise: stop}}\n\
             \x20 - id: told\n    alert: csm\n    text: It has come\n    hours: any\n"
        );
        (name, text)
    })
    .into()
}

/// A line more.
fn say(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// A workflow.
pub(crate) fn rule(dice: &mut Dice, number: i64) -> String {
    let mut text = format!("workflow: written-{number}\ntitle: Written {number}\n");
    let for_each = *dice.pick(&["account", "account", "contract", "contact", "risk"]);
    say(
        &mut text,
        &format!("for_each: {for_each}\ntopic: onboarding\nstatus: live"),
    );
    let is_when = start(dice, &mut text, for_each);
    if dice.chance(35) {
        let stay = condition_of(dice, for_each);
        say(&mut text, &format!("while: {stay}"));
    }
    let is_watched = dice.chance(40);
    if is_watched {
        let within = *dice.pick(&["20d", "45d", "9 business days", "100h"]);
        say(
            &mut text,
            &format!("goal:\n  when: {}\n  within: {within}", condition(dice)),
        );
        if dice.chance(50) {
            text.push_str("  then:\n    - id: hurrah\n      alert: csm\n      text: Reached\n");
        }
        if dice.chance(30) && is_when {
            text.push_str("holdout: 30%\n");
        }
    }
    if dice.chance(25) {
        text.push_str("holds_back: [adoption]\n");
    }
    let with = condition_of(dice, for_each);
    say(&mut text, &format!("with:\n  live_name: {with}"));
    let remembered = condition_of(dice, for_each);
    say(&mut text, &format!("remember:\n  kept_name: {remembered}"));
    say(&mut text, "  kept_days: days_since(last_login_at)");
    text.push_str("steps:\n");
    let starts_on_score = text.contains("event: nps.responded");
    let mut writer = Writer {
        dice,
        text,
        for_each,
        starts_on_score,
        ids: 0,
        results: Vec::new(),
    };
    writer.steps(2, 0);
    writer.text
}

/// Writes when it starts; whether by a condition.
fn start(dice: &mut Dice, text: &mut String, for_each: &str) -> bool {
    let kind = dice.between(0, 9);
    text.push_str("start:\n");
    match kind {
        0 | 1 => {
            let event = *dice.pick(&[
                "user.logged_in",
                "meeting.held",
                "[ticket.opened, nps.responded]",
                "nps.responded",
                "risk.opened",
            ]);
            say(text, &format!("  event: {event}"));
            if *event == *"nps.responded" && dice.chance(60) {
                let wanted = dice.pick(&["event.score >= 5", "event.contact.role == champion"]);
                say(text, &format!("  if: {wanted}"));
            } else if dice.chance(40) {
                say(text, &format!("  if: {}", condition(dice)));
            }
            if dice.chance(40) {
                say(text, &format!("  max_age: {}", period(dice)));
            }
        }
        2 | 3 => {
            say(text, &format!("  {}", schedule(dice)));
            if dice.chance(70) {
                say(text, &format!("  if: {}", condition(dice)));
            }
        }
        _ => {
            let when = if for_each == "risk" && dice.chance(70) {
                "risk.open".to_owned()
            } else {
                condition(dice)
            };
            say(text, &format!("  when: {when}"));
            if dice.chance(40) {
                say(text, &format!("  for: {}", period(dice)));
            }
            say(
                text,
                &format!("  existing: {}", dice.pick(&["include", "skip"])),
            );
        }
    }
    let once = match dice.between(0, 3) {
        0 => for_each,
        1 => "occurrence",
        2 => "20d",
        _ => "30h",
    };
    say(text, &format!("once_per: {once}"));
    if dice.chance(20) {
        text.push_str("if_running: restart\n");
    }
    kind > 3
}

/// Writes steps.
struct Writer<'d> {
    dice: &'d mut Dice,
    text: String,
    for_each: &'static str,
    /// Whether it starts on an answer with a score.
    starts_on_score: bool,
    ids: u32,
    /// What may be asked of the steps so far.
    results: Vec<String>,
}

impl Writer<'_> {
    fn line(&mut self, indent: usize, line: &str) {
        say(&mut self.text, &format!("{:indent$}{line}", ""));
    }

    fn steps(&mut self, indent: usize, depth: u8) {
        for _ in 0..self.dice.between(1, if depth == 0 { 5 } else { 2 }) {
            self.step(indent, depth);
        }
    }

    /// A condition that may ask about the run: its steps, its names, what started it.
    fn wanted(&mut self) -> String {
        if self.dice.chance(35) && !self.results.is_empty() {
            return self.dice.pick(&self.results).clone();
        }
        if self.dice.chance(20) {
            let own = [
                "live_name",
                "not kept_name",
                "kept_days > 3",
                "kept_days is known",
            ];
            return (*self.dice.pick(&own)).to_owned();
        }
        if self.starts_on_score && self.dice.chance(40) {
            let own = [
                "started_by.score >= 8",
                "started_by.contact.role == champion",
            ];
            return (*self.dice.pick(&own)).to_owned();
        }
        condition_of(self.dice, self.for_each)
    }

    /// What may be asked of a step.
    fn keep_results(&mut self, id: u32, results: &[&str]) {
        for result in results {
            self.results
                .push(result.replace("STEP", &format!("steps.s{id}")));
        }
    }

    fn step(&mut self, indent: usize, depth: u8) {
        self.ids += 1;
        let number = self.ids;
        let id = format!("- id: s{}", self.ids);
        self.line(indent, &id);
        let inner = indent + 2;
        let kind = self.dice.between(0, if depth < 2 { 13 } else { 7 });
        if kind < 10 && self.dice.chance(25) {
            let wanted = self.wanted();
            self.line(inner, &format!("if: {wanted}"));
        }
        if kind < 7 && self.dice.chance(25) {
            let window = *self.dice.pick(&[
                "70..40 days before contract.renewal_date",
                "12..3 business days before contract.renewal_date",
                "5..20 days after contract.start_date",
                "30 days before contract.renewal_date",
            ]);
            self.line(inner, &format!("at: {window}"));
        }
        match kind {
            0 | 1 => {
                self.line(inner, "alert: csm");
                self.line(inner, "text: Look here");
                if self.dice.chance(30) {
                    self.line(inner, "hours: any");
                }
            }
            2 => self.line(inner, "task: Call them\n"),
            3 | 4 => self.send(inner),
            5 => self.line(inner, "set: {account.reference_status: asked}"),
            6 => self.line(inner, "webhook: crm\n"),
            7 => {
                let length = period(self.dice);
                self.line(inner, &format!("wait: {length}"));
            }
            8 | 9 => self.wait_for(inner, depth),
            10 => self.branch(inner, depth),
            11 => self.choice(inner, depth),
            12 => self.split(inner, depth),
            _ => self.line(inner, "task: Look after them\n"),
        }
        match kind {
            2 => {
                self.line(inner, "assignee: csm");
                self.line(inner, "due: 2 business days");
            }
            6 => self.line(inner, "body: {who: account.name}"),
            13 => self.line(inner, "assignee: csm"),
            _ => {}
        }
        match kind {
            0 | 1 => self.keep_results(number, &["STEP.sent"]),
            2 | 13 => self.keep_results(number, &["not STEP.done", "STEP.outcome is known"]),
            3 | 4 => self.keep_results(
                number,
                &[
                    "STEP.sent",
                    "not STEP.skipped",
                    "STEP.delivered and not STEP.bounced",
                    "STEP.replied or STEP.clicked",
                    "STEP.opened",
                ],
            ),
            6 => self.keep_results(number, &["STEP.ok"]),
            8 | 9 => self.keep_results(number, &["STEP.timed_out"]),
            12 => self.keep_results(number, &["STEP.chosen == left"]),
            _ => {}
        }
    }

    fn send(&mut self, inner: usize) {
        self.line(inner, "send: onboarding-invite-team");
        self.line(inner, "to: champion else admin");
        if self.dice.chance(30) {
            self.line(
                inner,
                "approval: {by: csm, at_most: 3 business days, otherwise: send}",
            );
        }
        if self.dice.chance(30) {
            self.line(inner, "if_nobody: skip");
        }
    }

    fn wait_for(&mut self, inner: usize, depth: u8) {
        self.line(inner, "wait:");
        if self.dice.chance(75) {
            let until = match self.dice.between(0, 3) {
                0 => condition(self.dice),
                1 => format!("days_since(last_login_at) >= {}", self.dice.between(1, 9)),
                2 => format!(
                    "hours_since(last_meeting_at) > {}",
                    self.dice.between(5, 200)
                ),
                _ => {
                    let days = self.dice.between(1, 200);
                    format!("days_until(contract.renewal_date) <= {days}")
                }
            };
            self.line(inner + 2, &format!("until: {until}"));
        } else {
            let id = self.ids;
            self.line(inner + 2, "event: nps.responded");
            if self.dice.chance(50) {
                self.line(
                    inner + 2,
                    "if: event.score > 4 and event.contact.role != billing",
                );
            }
            self.keep_results(
                id,
                &["STEP.event.score >= 7", "STEP.event.score is unknown"],
            );
        }
        let at_most = *self.dice.pick(&["30h", "5 business days", "20d", "60d"]);
        self.line(inner + 2, &format!("at_most: {at_most}"));
        if depth < 2 && self.dice.chance(30) {
            self.line(inner + 2, "otherwise:");
            self.steps(inner + 4, depth + 1);
        } else {
            let otherwise = *self.dice.pick(&["continue", "continue", "stop"]);
            self.line(inner + 2, &format!("otherwise: {otherwise}"));
        }
    }

    fn branch(&mut self, inner: usize, depth: u8) {
        let wanted = self.wanted();
        self.line(inner, &format!("if: {wanted}"));
        self.line(inner, "then:");
        self.steps(inner + 2, depth + 1);
        if self.dice.chance(60) {
            self.line(inner, "else:");
            self.steps(inner + 2, depth + 1);
        }
    }

    fn choice(&mut self, inner: usize, depth: u8) {
        self.line(inner, "match: touch");
        self.line(inner, "cases:");
        self.line(inner + 2, "high:");
        self.steps(inner + 4, depth + 1);
        self.line(inner, "otherwise:");
        self.steps(inner + 2, depth + 1);
    }

    fn split(&mut self, inner: usize, depth: u8) {
        self.line(inner, "split:");
        for arm in ["left", "right"] {
            self.line(inner + 2, &format!("{arm}:"));
            self.line(inner + 4, "share: 50%");
            self.line(inner + 4, "steps:");
            self.steps(inner + 6, depth + 1);
        }
    }
}
