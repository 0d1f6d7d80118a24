//! Conditions and lengths of time by chance, as text.

use crate::dice::Dice;

/// A condition that does not lead with a character that YAML minds.
pub(crate) fn condition(dice: &mut Dice, of: &str) -> String {
    match dice.between(0, 9) {
        0 | 1 => format!("{} and {}", single(dice, of), single(dice, of)),
        2 => format!("{} or {}", single(dice, of), single(dice, of)),
        3 => format!("not ({} or {})", single(dice, of), single(dice, of)),
        4 => format!("not {}", single(dice, of)),
        _ => single(dice, of),
    }
}

/// What only a run of such a subject may ask, and what no definition may.
fn of_subject(dice: &mut Dice, of: &str, (number, days): (i64, i64)) -> Option<String> {
    if of == "contact" && dice.chance(35) {
        return Some(
            (*dice.pick(&[
                "contact.role == champion",
                "contact.role in [champion, admin]",
                "contact.role is unknown",
                "contact.timezone is known",
                "contact.name != \"Ann\"",
            ]))
            .to_owned(),
        );
    }
    if of == "contract" && dice.chance(30) {
        return Some(match dice.between(0, 3) {
            0 => "contract.status == active".to_owned(),
            1 => format!("days_until(contract.renewal_date) in {}..{days}", days / 2),
            2 => format!("contract.seats else 3 > {number}"),
            _ => "contract.status in [active, trial]".to_owned(),
        });
    }
    if of == "risk" && dice.chance(50) {
        return Some(match dice.between(0, 7) {
            0 | 1 => "risk.open".to_owned(),
            2 => "not risk.open".to_owned(),
            3 => "risk.severity == high".to_owned(),
            4 => format!("risk.category == {}", dice.pick(&["idle", "noisy"])),
            5 => format!("hours_since(risk.opened_at) >= {}", number * 9 + 1),
            6 => format!("days_since(risk.opened_at) > {}", number / 2),
            _ => "risk.title == \"Idle\"".to_owned(),
        });
    }
    if of != "definition" && of != "health" && dice.chance(14) {
        return Some(
            (*dice.pick(&[
                "idle",
                "noisy",
                "not noisy",
                "any_open_risk",
                "not any_open_risk",
                "count(open_risks) >= 2",
                "count(open_risks where risk.severity == high) > 0",
                "count(open_risks where days_since(risk.opened_at) >= 3) == 1",
            ]))
            .to_owned(),
        );
    }
    None
}

fn single(dice: &mut Dice, of: &str) -> String {
    let number = dice.between(0, 12);
    let days = dice.between(5, 90);
    if of != "health" && dice.chance(12) {
        return of_health(dice);
    }
    if let Some(own) = of_subject(dice, of, (number, days)) {
        return own;
    }
    match dice.between(0, 35) {
        31 | 32 => of_own(dice, number),
        33 => format!(
            "account.feeling == {}",
            dice.pick(&["good", "bad", "neutral"])
        ),
        34 => format!("stage == {}", dice.pick(&["trial", "grown", "calm"])),
        0 | 1 => format!("account.plan == {}", dice.pick(&["basic", "pro", "max"])),
        2 => "account.plan >= pro".to_owned(),
        3 => format!("account.seats >= {}", number * 8),
        4 => format!("account.seats else 40 < {}", number * 8),
        5 | 6 => "account.flagship".to_owned(),
        7 => "account.flagship is known".to_owned(),
        8 | 9 => "contract.status == active".to_owned(),
        10 => format!("days_until(contract.renewal_date) in {}..{days}", days / 2),
        11 => format!("days_until(contract.renewal_date) <= {days}"),
        12 => format!("business_days_until(contract.renewal_date) < {days}"),
        13 => format!("days_since(account.customer_since) >= {days}"),
        14 => format!("business_days_since(account.customer_since) > {days}"),
        15 => format!("logins_7d >= {}", dice.between(1, 3)),
        16 => format!("users_14d < {}", dice.between(1, 3)),
        17 => format!("days_since(last_login) > {number}"),
        18 => format!("hours_since(last_login) >= {}", number * 5 + 1),
        19 => "tickets_12h > 0".to_owned(),
        20 => "bad_tickets > 0".to_owned(),
        21 => "silent".to_owned(),
        22 => "loud".to_owned(),
        23 => format!("touch == {}", dice.pick(&["high", "low", "tech"])),
        24 => format!("mood in [{}, none]", dice.pick(&["good", "bad"])),
        25 => format!("score_sum + score_least > {number}"),
        26 => format!("score_average >= {number}"),
        27 => format!("usage > {}", dice.pick(&["0.02", "0.05", "0.1"])),
        28 => format!(
            "contract.renewal_date in {} {}",
            dice.pick(&["this", "next", "last"]),
            dice.pick(&["week", "month", "quarter", "year"])
        ),
        29 => (*dice.pick(&["champion is known", "admin is unknown"])).to_owned(),
        30 => "count(contacts where contact.role == admin) >= 1".to_owned(),
        _ => "previous(logins_7d) > logins_7d".to_owned(),
    }
}

/// How well the account does; not for what that itself is made of.
fn of_health(dice: &mut Dice) -> String {
    let points = *dice.pick(&[20, 40, 50, 60, 70, 100]);
    let band = *dice.pick(&["red", "yellow", "green"]);
    match dice.between(0, 9) {
        0..=2 => format!("health.band == {band}"),
        3 => format!("health.band != {band}"),
        4 => "health.band >= yellow".to_owned(),
        5 => (*dice.pick(&["health.band is known", "health.band is unknown"])).to_owned(),
        6 => format!("health.score >= {points}"),
        7 => format!("health.co_band == {band}"),
        8 => format!("health.cx < {points}"),
        _ => format!("health.cx_band == {band} or health.co > {points}"),
    }
}

/// What the engine's own events add up to.
fn of_own(dice: &mut Dice, number: i64) -> String {
    match dice.between(0, 9) {
        0 => "tasks_done > 0".to_owned(),
        1 => "good_tasks == 0".to_owned(),
        2 => format!("days_since(last_done) > {number}"),
        3 => "overdue > 0".to_owned(),
        4 => format!("mails >= {}", dice.between(1, 4)),
        5 => "tips_12h == 0".to_owned(),
        6 => "people < 2".to_owned(),
        7 => "replies > 0".to_owned(),
        8 => format!("runs_ended > {}", dice.between(0, 2)),
        _ => "stages > 1".to_owned(),
    }
}

/// A length of time.
pub(crate) fn period(dice: &mut Dice) -> &'static str {
    let all = [
        "5h",
        "12h",
        "30h",
        "72h",
        "1d",
        "2d",
        "3d",
        "1w",
        "2 business days",
        "5 business days",
    ];
    let one: &&str = dice.pick(&all);
    one
}

/// What is left to chance of a schedule.
pub(crate) fn schedule(dice: &mut Dice) -> &'static str {
    let all = [
        "every: day 09:00",
        "every: day 02:00",
        "every: business day 09:00",
        "every: Mon,Thu 16:00",
        "every: month 1 09:00",
        "every: month last 12:00",
        "every: month first business day 09:00",
        "every: quarter first business day 09:00",
        "cron: 0 1,14 * * 2",
        "cron: 0 6 1,15 * 3",
    ];
    let one: &&str = dice.pick(&all);
    one
}

/// A window around a date.
pub(crate) fn window(dice: &mut Dice) -> &'static str {
    let all = [
        "60..30 days before contract.renewal_date",
        "45..40 days before contract.renewal_date",
        "5..20 days after contract.start_date",
        "20..50 days after contract.start_date",
        "30 days before contract.renewal_date",
        "10 days after account.customer_since",
    ];
    let one: &&str = dice.pick(&all);
    one
}
