//! Both decide the same histories; where they part, the smallest case that still parts them is shown.

use crate::deed::Deed;
use crate::dice::Dice;
use crate::sometimes::Sometimes;
use crate::tell::{Said, answers, history, logged, told};
use crate::walk::walk;
use crate::workspace::{Texts, program, texts};
use engine::simulate::Simulation;
use jiff::Timestamp;
use std::fmt::Write as _;
use std::sync::Mutex;
use workflow::Program;

/// How many workspaces.
const WORKSPACES: u64 = 500;
/// How many histories each decides.
const HISTORIES: u64 = 4;
/// How many that part them are shown; making them small takes long.
const SHOWN_MAX: usize = 3;

fn by_engine(program: &Program, said: &[Said], end: Timestamp) -> Vec<Deed> {
    let mut simulation = Simulation::new(program);
    for logged in logged(said) {
        simulation.push(&logged);
    }
    let (records, report) = simulation.finish(Some(end));
    let all = records.iter();
    let mut deeds: Vec<Deed> = all
        .filter_map(|record| Deed::of(record, &report.outbox))
        .collect();
    deeds.sort();
    deeds
}

fn by_reference(program: &Program, said: &[Said], end: Timestamp) -> (Vec<Deed>, Sometimes) {
    let told = told(program, said);
    let mut walk = walk(program, &told, end);
    walk.deeds.sort();
    (walk.deeds, walk.sometimes)
}

fn part(program: &Program, said: &[Said], end: Timestamp) -> bool {
    by_engine(program, said, end) != by_reference(program, said, end).0
}

/// As few workflows as part them, then as few facts.
fn least(texts: &Texts, said: &[Said], end: Timestamp) -> (Texts, Vec<Said>) {
    let mut texts = texts.clone();
    let mut index = 0;
    while index < texts.rules.len() {
        let mut rules = texts.rules.clone();
        rules.remove(index);
        let fewer = texts.with(rules);
        if program(&fewer).is_some_and(|program| part(&program, said, end)) {
            texts = fewer;
        } else {
            index += 1;
        }
    }
    let program = program(&texts).expect("it was right before");
    let mut said = said.to_vec();
    let mut index = 0;
    while index < said.len() {
        let mut fewer = said.clone();
        fewer.remove(index);
        if !fewer.is_empty() && part(&program, &fewer, end) {
            said = fewer;
        } else {
            index += 1;
        }
    }
    (texts, said)
}

/// What only one of them did.
fn report(seed: u64, texts: &Texts, said: &[Said], end: Timestamp) -> String {
    let (texts, said) = least(texts, said, end);
    let program = program(&texts).expect("it was right before");
    let engine = by_engine(&program, &said, end);
    let (reference, _) = by_reference(&program, &said, end);
    let mut text = format!(
        "seed {seed}, until {end}\n{}{}{}{}",
        texts.health,
        texts.risks,
        texts.limits,
        texts.rules.join("\n")
    );
    for one in &said {
        writeln!(text, "{} {} {}", one.at, one.kind, one.data).expect("text takes text");
    }
    let mut all: Vec<&Deed> = engine.iter().chain(&reference).collect();
    all.sort();
    all.dedup();
    for deed in all {
        let count = |all: &[Deed]| all.iter().filter(|one| *one == deed).count();
        let who = match count(&engine).cmp(&count(&reference)) {
            std::cmp::Ordering::Equal => "both     ",
            std::cmp::Ordering::Less => "reference",
            std::cmp::Ordering::Greater => "engine   ",
        };
        let step = deed.step.as_deref().unwrap_or("");
        writeln!(
            text,
            "{who} {} {} {} {step} {:?}",
            deed.at, deed.workflow, deed.subject, deed.what
        )
        .expect("text takes text");
    }
    text
}

/// What the cases came to.
#[derive(Default)]
struct Sum {
    sometimes: Sometimes,
    histories: u64,
    deeds: usize,
    parted: u64,
    reports: Vec<String>,
}

/// One workspace, and its histories.
fn case(seed: u64, sum: &Mutex<Sum>) {
    let mut dice = Dice::new(seed);
    let texts = texts(&mut dice);
    let program = program(&texts).expect("it was checked");
    for _ in 0..HISTORIES {
        let (mut said, end) = history(&mut dice);
        // Answers make what comes after them other, so some of them come too late for anything; that is tried as well.
        let is_answered = |rule: &String| {
            let asks = ["approval:", "task:", "replied", "webhook:"];
            asks.iter().any(|word| rule.contains(word))
        };
        if texts.rules.iter().any(is_answered) {
            let asked = walk(&program, &told(&program, &said), end).asked;
            answers(&mut dice, &mut said, &asked, end);
        }
        let (deeds, sometimes) = by_reference(&program, &said, end);
        let do_part = by_engine(&program, &said, end) != deeds;
        let mut sum = sum.lock().expect("nobody panicked");
        sum.parted += u64::from(do_part);
        if do_part && sum.reports.len() < SHOWN_MAX {
            sum.reports.push(report(seed, &texts, &said, end));
        }
        sum.sometimes.add(&sometimes);
        sum.histories += 1;
        sum.deeds += deeds.len();
    }
}

#[test]
fn the_engine_decides_what_a_slow_reader_of_the_rules_decides() {
    let sum = Mutex::new(Sum::default());
    std::thread::scope(|scope| {
        for part in 0..2 {
            let sum = &sum;
            scope.spawn(move || {
                for seed in (part..WORKSPACES).step_by(2) {
                    case(seed, sum);
                }
            });
        }
    });
    let sum = sum.into_inner().expect("nobody panicked");
    println!(
        "{} histories, {} deeds, {:?}",
        sum.histories, sum.deeds, sum.sometimes
    );
    assert!(
        sum.parted == 0,
        "{} histories part them\n{}",
        sum.parted,
        sum.reports.join("\n\n")
    );
    sum.sometimes.check();
}
