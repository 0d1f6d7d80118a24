//! Named values by chance: `with`, which stay live, and `remember`, which stand as they were at the start.

use crate::dice::Dice;
use crate::words::condition;
use std::fmt::Write as _;

/// What a workflow's names may be asked, and who they may be.
#[derive(Default)]
pub(crate) struct Names {
    /// Conditions over them.
    conditions: Vec<&'static str>,
    /// Names that stand for people.
    pub(crate) people: Vec<&'static str>,
    /// Names that stand for anything else.
    values: Vec<&'static str>,
}

impl Names {
    /// A condition, now and then over a name.
    pub(crate) fn condition(&self, dice: &mut Dice, of: &str) -> String {
        if self.conditions.is_empty() || !dice.chance(45) {
            return condition(dice, of);
        }
        let named = *dice.pick(&self.conditions);
        match dice.between(0, 5) {
            0 => format!("{named} and ({})", condition(dice, of)),
            1 => format!("{named} or ({})", condition(dice, of)),
            _ => named.to_owned(),
        }
    }

    /// Something to say in a call.
    pub(crate) fn value(&self, dice: &mut Dice) -> &'static str {
        let all: &[&'static str] = match self.values.is_empty() {
            true => &["touch", "health.band", "logins_7d", "health.score"],
            false => &self.values,
        };
        let &one = dice.pick(all);
        one
    }
}

/// Live names, which starts may ask too.
pub(crate) fn names(dice: &mut Dice, text: &mut String, of: &str) -> Names {
    let mut names = Names::default();
    if !dice.chance(45) {
        return names;
    }
    text.push_str("with:\n");
    let all: [&[u8]; 7] = [&[0], &[1], &[2], &[3], &[0, 1], &[1, 2], &[0, 3]];
    for kind in *dice.pick(&all) {
        let line = match kind {
            0 => {
                names.conditions.extend(["keen", "keen", "not keen"]);
                names.values.push("keen");
                format!("keen: {}", condition(dice, of))
            }
            1 => {
                names
                    .conditions
                    .extend(["amount >= 5", "amount < 40", "amount is unknown"]);
                names.values.push("amount");
                let all = [
                    "logins_7d + tickets_ever",
                    "account.seats",
                    "health.score",
                    "days_until(contract.renewal_date)",
                    "hours_since(last_login)",
                ];
                format!("amount: {}", dice.pick(&all))
            }
            2 => {
                names
                    .conditions
                    .extend(["boss is known", "boss is unknown"]);
                names.people.push("boss");
                format!(
                    "boss: {}",
                    dice.pick(&["champion", "admin", "champion else admin"])
                )
            }
            _ => {
                names
                    .conditions
                    .extend(["count(team) >= 2", "count(team) == 0"]);
                names.people.push("team");
                "team: contacts where contact.role in [champion, admin]".to_owned()
            }
        };
        writeln!(text, "  {line}").expect("text takes text");
    }
    names
}

/// Names of how things stood at the start, which only a run may ask.
pub(crate) fn remember(
    dice: &mut Dice,
    text: &mut String,
    (of, start): (&str, &str),
    names: &mut Names,
) {
    if !dice.chance(45) {
        return;
    }
    text.push_str("remember:\n");
    if start.contains("  event: nps.responded") {
        names
            .conditions
            .extend(["score_then > 6", "score_average > score_then"]);
        names.values.push("score_then");
        text.push_str("  score_then: started_by.score\n");
    }
    match dice.between(0, 4) {
        0 => {
            names.conditions.extend(["was_so", "not was_so"]);
            names.values.push("was_so");
            let was = condition(dice, of);
            writeln!(text, "  was_so: {was}").expect("text takes text");
        }
        1 => {
            let all = ["account.seats", "logins_7d * 20", "health.score"];
            let (seats, value) = (
                ["account.seats > seats_then", "account.seats >= seats_then"],
                dice.pick(&all),
            );
            names.conditions.extend(seats);
            names
                .conditions
                .push("seats_then is unknown or account.seats < seats_then");
            names.values.push("seats_then");
            writeln!(text, "  seats_then: {value}").expect("text takes text");
        }
        2 => {
            names
                .conditions
                .extend(["account.plan != plan_then", "plan_then == pro"]);
            names.values.push("plan_then");
            text.push_str("  plan_then: account.plan\n");
        }
        3 => {
            names
                .conditions
                .extend(["touch != touch_then", "touch == touch_then"]);
            names.values.push("touch_then");
            text.push_str("  touch_then: touch\n");
        }
        _ => {
            names.conditions.extend(["who is known", "who is unknown"]);
            names.people.push("who");
            text.push_str("  who: champion else admin\n");
        }
    }
}
