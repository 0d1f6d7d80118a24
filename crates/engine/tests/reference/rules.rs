//! Workflows by chance, as text.

use crate::dice::Dice;
use crate::names::{Names, names, remember};
use crate::words::{condition, period, schedule, window};
use std::fmt::Write as _;

/// A workflow; `writes`: whether it may write fields.
pub(crate) fn rule(dice: &mut Dice, number: i64, writes: bool) -> String {
    let of = *dice.pick(&["account", "account", "contract", "contact", "risk", "risk"]);
    let topic = *dice.pick(&["news", "tips", "tips"]);
    let mut text = format!(
        "workflow: rule-{number}\ntitle: Rule {number}\nfor_each: {of}\ntopic: {topic}\nstatus: live\n"
    );
    if dice.chance(50) {
        writeln!(text, "priority: {}", dice.pick(&["high", "low"])).expect("text takes text");
    }
    if dice.chance(50) {
        let held = if topic == "news" { "tips" } else { "news" };
        writeln!(text, "holds_back: [{held}]").expect("text takes text");
    }
    let mut known = names(dice, &mut text, of);
    let mut begin = "start:\n".to_owned();
    start(dice, &mut begin, (of, number), &known);
    text.push_str(&begin);
    remember(dice, &mut text, (of, &begin), &mut known);
    if dice.chance(15) {
        text.push_str("if_running: restart\n");
    }
    if dice.chance(30) {
        let stay = known.condition(dice, of);
        writeln!(text, "while: {stay}").expect("text takes text");
    }
    if dice.chance(35) {
        let when = known.condition(dice, of);
        writeln!(text, "goal:\n  when: {when}").expect("text takes text");
        let has_window = dice.chance(60);
        if has_window {
            writeln!(
                text,
                "  within: {}",
                dice.pick(&["100h", "10d", "4 business days"])
            )
            .expect("text takes text");
        }
        if dice.chance(50) {
            text.push_str(
                "  then:\n    - id: thanks\n      send: hello\n      to: champion else admin\n",
            );
            if dice.chance(40) {
                text.push_str(
                    "    - id: praise\n      task: Call them\n      assignee: csm\n      due: 2d\n",
                );
            }
        }
        if has_window && dice.chance(40) {
            writeln!(text, "holdout: {}", dice.pick(&["30%", "60%"])).expect("text takes text");
        }
    }
    text.push_str("steps:\n");
    let mut writer = Writer {
        dice,
        text,
        of,
        writes,
        sends: Vec::new(),
        tasks: Vec::new(),
        waits: Vec::new(),
        calls: Vec::new(),
        names: known,
        ids: 0,
    };
    writer.steps(2, 0);
    writer.text
}

/// Starts on what the engine itself tells; of other workflows only, so that nothing starts itself.
fn start_on_own(dice: &mut Dice, text: &mut String, number: i64) {
    let events: &[&str] = if number == 0 {
        &[
            "task.done",
            "task.overdue",
            "message.replied",
            "stage.changed",
            "health.changed",
        ]
    } else {
        &[
            "task.done",
            "task.overdue",
            "message.replied",
            "message.sent",
            "workflow.ended",
            "workflow.started",
            "stage.changed",
            "health.changed",
        ]
    };
    let event = *dice.pick(events);
    writeln!(text, "  event: {event}").expect("text takes text");
    let wanted = match event {
        "task.done" if dice.chance(40) => "event.outcome == \"good\"",
        "task.done" | "task.overdue" if dice.chance(40) => "event.workflow == rule-0",
        "message.sent" | "workflow.started" => "event.workflow == rule-0",
        "workflow.ended" if dice.chance(50) => "event.workflow == rule-0 and event.how != finished",
        "workflow.ended" => "event.workflow == rule-0",
        "stage.changed" if dice.chance(50) => "event.to == grown",
        "health.changed" if dice.chance(50) => "event.to == red",
        "health.changed" if dice.chance(30) => "event.from is unknown",
        _ => return,
    };
    writeln!(text, "  if: {wanted}").expect("text takes text");
}

fn start(dice: &mut Dice, text: &mut String, (of, number): (&str, i64), known: &Names) {
    let kind = dice.between(0, 11);
    match kind {
        10 | 11 => start_on_own(dice, text, number),
        0 | 1 if of == "account" || of == "risk" => {
            let event = dice.pick(&[
                "user.logged_in",
                "nps.responded",
                "[ticket.opened, user.logged_in]",
                "risk.opened",
                "risk.opened",
                "[risk.closed, nps.responded]",
            ]);
            writeln!(text, "  event: {event}").expect("text takes text");
            if *event == "risk.opened" && dice.chance(60) {
                let wanted = dice.pick(&["category == idle", "severity == high"]);
                writeln!(text, "  if: event.{wanted}").expect("text takes text");
            } else if *event == "nps.responded" {
                writeln!(text, "  if: event.score >= {}", dice.between(3, 8))
                    .expect("text takes text");
            } else if dice.chance(40) {
                writeln!(text, "  if: {}", condition(dice, of)).expect("text takes text");
            }
            if dice.chance(50) {
                writeln!(
                    text,
                    "  max_age: {}",
                    dice.pick(&["2h", "1d", "2 business days"])
                )
                .expect("text takes text");
            }
        }
        2 | 3 => {
            writeln!(text, "  {}", schedule(dice)).expect("text takes text");
            if dice.chance(70) {
                writeln!(text, "  if: {}", known.condition(dice, of)).expect("text takes text");
            }
        }
        _ => {
            writeln!(text, "  when: {}", known.condition(dice, of)).expect("text takes text");
            if dice.chance(40) {
                writeln!(text, "  for: {}", period(dice)).expect("text takes text");
            }
            if dice.chance(15) {
                writeln!(text, "  if: {}", known.condition(dice, of)).expect("text takes text");
            }
            text.push_str("  existing: include\n");
        }
    }
    let once = match dice.between(0, 5) {
        0 => of,
        1 => *dice.pick(&[
            "account.plan",
            "contract.renewal_date",
            "account.customer_since",
        ]),
        2 => *dice.pick(&["10d", "30h", "5 business days"]),
        _ => "occurrence",
    };
    writeln!(text, "once_per: {once}").expect("text takes text");
}

/// Writes steps.
struct Writer<'d> {
    dice: &'d mut Dice,
    text: String,
    of: &'static str,
    writes: bool,
    sends: Vec<String>,
    tasks: Vec<String>,
    waits: Vec<String>,
    calls: Vec<String>,
    names: Names,
    ids: u32,
}

impl Writer<'_> {
    fn line(&mut self, indent: usize, line: &str) {
        writeln!(self.text, "{:indent$}{line}", "").expect("text takes text");
    }

    fn steps(&mut self, indent: usize, depth: u8) {
        for _ in 0..self.dice.between(1, if depth == 0 { 5 } else { 2 }) {
            self.step(indent, depth);
        }
    }

    fn wanted(&mut self) -> String {
        if self.dice.chance(35) && !self.tasks.is_empty() {
            return self.of_task();
        }
        if self.dice.chance(30) && !self.sends.is_empty() {
            let step = self.dice.pick(&self.sends);
            let all = ["sent", "skipped", "replied"];
            return format!("steps.{step}.{}", self.dice.pick(&all));
        }
        if self.dice.chance(40) && !self.waits.is_empty() {
            let step = self.dice.pick(&self.waits);
            return format!("not steps.{step}.timed_out");
        }
        if self.dice.chance(40) && !self.calls.is_empty() {
            let step = self.dice.pick(&self.calls);
            return format!("steps.{step}.ok");
        }
        self.names.condition(self.dice, self.of)
    }

    fn step(&mut self, indent: usize, depth: u8) {
        self.ids += 1;
        let id = format!("s{}", self.ids);
        self.line(indent, &format!("- id: {id}"));
        let inner = indent + 2;
        let kind = self.dice.between(0, if depth < 2 { 15 } else { 11 });
        if kind < 12 && self.dice.chance(25) {
            let wanted = self.wanted();
            self.line(inner, &format!("if: {wanted}"));
        }
        if kind < 7 && self.dice.chance(20) {
            let window = window(self.dice);
            self.line(inner, &format!("at: {window}"));
        }
        if kind < 7 && self.dice.chance(15) {
            self.line(inner, "hours: any");
        }
        match kind {
            0..=3 => self.send(inner, id),
            4 if self.dice.chance(55) => self.call(inner, id),
            4 => {
                self.line(inner, "alert: csm");
                self.line(inner, "text: Look");
                if self.dice.chance(30) {
                    self.line(inner, "deliver: digest");
                }
            }
            5 | 6 => {
                self.line(inner, "task: Call them");
                self.line(inner, "assignee: csm");
                if self.dice.chance(70) {
                    let due = *self
                        .dice
                        .pick(&["12h", "1d", "3d", "2 business days", "40d"]);
                    self.line(inner, &format!("due: {due}"));
                }
                self.tasks.push(id);
            }
            7 if self.writes => self.set(inner),
            7..=9 => {
                let length = period(self.dice);
                self.line(inner, &format!("wait: {length}"));
            }
            10 | 11 => self.wait_for(inner, depth, id),
            12 | 13 => self.branch(inner, depth),
            14 => {
                self.line(inner, "match: touch");
                self.line(inner, "cases:");
                self.line(inner + 2, "high:");
                self.steps(inner + 4, depth + 1);
                self.line(inner, "otherwise:");
                self.steps(inner + 2, depth + 1);
            }
            _ => {
                self.line(inner, "split:");
                for arm in ["left", "right"] {
                    self.line(inner + 2, &format!("{arm}:"));
                    self.line(inner + 4, "share: 50%");
                    self.line(inner + 4, "steps:");
                    self.steps(inner + 6, depth + 1);
                }
            }
        }
    }

    fn call(&mut self, inner: usize, id: String) {
        self.line(inner, "webhook: crm");
        let value = self.names.value(self.dice);
        let body = format!("body: {{seats: account.seats, what: {value}}}");
        self.line(inner, &body);
        self.calls.push(id);
    }

    fn set(&mut self, inner: usize) {
        let what = *self.dice.pick(&[
            "account.stance: warm",
            "account.stance: hot",
            "account.touches: (account.touches else 0) + 1",
        ]);
        self.line(inner, &format!("set: {{{what}}}"));
    }

    fn send(&mut self, inner: usize, id: String) {
        let to = if self.of == "contact" && self.dice.chance(70) {
            "contact"
        } else if !self.names.people.is_empty() && self.dice.chance(60) {
            *self.dice.pick(&self.names.people)
        } else {
            *self
                .dice
                .pick(&["champion", "champion else admin", "[admin, champion]"])
        };
        self.line(inner, "send: hello");
        self.line(inner, &format!("to: {to}"));
        if self.dice.chance(50) {
            let word = *self.dice.pick(&["skip", "stop", "alert"]);
            self.line(inner, &format!("if_nobody: {word}"));
        }
        if self.dice.chance(18) {
            let at_most = *self.dice.pick(&["12h", "30h", "2 business days", "5d"]);
            let otherwise = *self.dice.pick(&["skip", "send", "stop"]);
            self.line(
                inner,
                &format!("approval: {{by: csm, at_most: {at_most}, otherwise: {otherwise}}}"),
            );
        }
        if self.dice.chance(35) {
            let word = *self.dice.pick(&["delay", "delay", "skip", "ignore"]);
            self.line(inner, &format!("at_limit: {word}"));
        }
        self.sends.push(id);
    }

    fn wait_for(&mut self, inner: usize, depth: u8, id: String) {
        self.line(inner, "wait:");
        if self.dice.chance(50) && !self.tasks.is_empty() {
            if self.dice.chance(70) {
                let until = self.of_task();
                self.line(inner + 2, &format!("until: {until}"));
            } else {
                let task = self.dice.pick(&self.tasks).clone();
                let event = *self.dice.pick(&["task.done", "task.done", "task.overdue"]);
                self.line(inner + 2, &format!("event: {event}"));
                self.line(inner + 2, &format!("if: event.step == \"{task}\""));
            }
        } else if self.dice.chance(25) && !self.sends.is_empty() {
            if self.dice.chance(60) {
                let step = self.dice.pick(&self.sends).clone();
                self.line(inner + 2, &format!("until: steps.{step}.replied"));
            } else {
                self.line(inner + 2, "event: message.replied");
            }
        } else if self.dice.chance(40) && !self.calls.is_empty() {
            let step = self.dice.pick(&self.calls);
            let line = format!("until: steps.{step}.ok");
            self.line(inner + 2, &line);
        } else if self.dice.chance(70) {
            let until = self.names.condition(self.dice, self.of);
            self.line(inner + 2, &format!("until: {until}"));
        } else {
            self.line(inner + 2, "event: nps.responded");
            if self.dice.chance(50) {
                self.line(inner + 2, "if: event.score > 5");
            }
        }
        let at_most = *self.dice.pick(&["30h", "5 business days", "10d", "20d"]);
        self.line(inner + 2, &format!("at_most: {at_most}"));
        if depth < 2 && self.dice.chance(35) {
            self.line(inner + 2, "otherwise:");
            self.steps(inner + 4, depth + 1);
        } else {
            let otherwise = *self.dice.pick(&["continue", "continue", "stop"]);
            self.line(inner + 2, &format!("otherwise: {otherwise}"));
        }
        self.waits.push(id);
    }

    /// A condition over what came of a task.
    fn of_task(&mut self) -> String {
        let task = self.dice.pick(&self.tasks).clone();
        match self.dice.between(0, 4) {
            0 | 1 => format!("steps.{task}.done"),
            2 => format!("not steps.{task}.done"),
            3 => format!("steps.{task}.outcome == \"good\""),
            _ => format!("steps.{task}.outcome is known"),
        }
    }

    fn branch(&mut self, inner: usize, depth: u8) {
        let wanted = self.wanted();
        self.line(inner, &format!("if: {wanted}"));
        self.line(inner, "then:");
        if self.dice.chance(15) {
            self.line(inner + 2, "- stop: Enough");
        } else {
            self.steps(inner + 2, depth + 1);
        }
        if self.dice.chance(60) {
            self.line(inner, "else:");
            self.steps(inner + 2, depth + 1);
        }
    }
}
