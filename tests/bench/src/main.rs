//! How fast the road is: each part beside its floor, measured in turns in the same run.
//!
//! `cargo run --release -p bench [FACTS] [ROUNDS] [PART…]`

mod append;
mod commit;
mod cpu;
mod decide;
mod facts;
mod latency;
mod mails;
mod pace;
mod rules;
mod sink;
mod told;
mod year;

use anyhow::{Context, bail};

const FACTS: usize = 40_000;
const ROUNDS: usize = 5;
const PARTS: [&str; 7] = [
    "decide", "rules", "year", "commit", "append", "mails", "latency",
];

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == append::CLIENT) {
        return append::client(&words);
    }
    if words.first().is_some_and(|word| word == sink::SINK) {
        return sink::serve(&words);
    }
    let number = |at: usize, usual| match words.get(at) {
        Some(word) => word
            .parse()
            .with_context(|| format!("`{word}` is no number")),
        None => Ok(usual),
    };
    let (facts, rounds) = (number(0, FACTS)?, number(1, ROUNDS)?);
    let lines = facts::generate(facts);
    let bytes: usize = lines.iter().map(|line| line.json.len()).sum();
    println!(
        "{} facts of {} accounts, {} bytes each; {rounds} rounds in turns, medians",
        lines.len(),
        facts::ACCOUNTS,
        bytes / lines.len().max(1)
    );
    let program = facts::program()?;
    let parts: Vec<&str> = words.iter().skip(2).map(String::as_str).collect();
    let is_wanted = |part| parts.is_empty() || parts.contains(&part);
    if let Some(unknown) = parts.iter().find(|part| !PARTS.contains(part)) {
        bail!("`{unknown}` is none of {}", PARTS.join(", "));
    }
    if is_wanted("decide") {
        decide::measure(&program, &lines, rounds);
    }
    if is_wanted("rules") {
        rules::measure(rounds)?;
    }
    if is_wanted("year") {
        year::measure(&program)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if is_wanted("commit") {
        runtime.block_on(commit::measure(&lines, rounds))?;
    }
    if is_wanted("append") {
        runtime.block_on(append::measure(&lines, rounds))?;
    }
    if is_wanted("mails") {
        runtime.block_on(mails::measure(rounds))?;
    }
    if is_wanted("latency") {
        runtime.block_on(latency::measure())?;
    }
    Ok(())
}
