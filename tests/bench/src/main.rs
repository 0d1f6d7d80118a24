//! How fast the road is: each part beside its floor, measured in turns in the same run.
//!
//! `cargo run --release -p bench [FACTS] [ROUNDS]`

mod append;
mod commit;
mod cpu;
mod decide;
mod facts;
mod rules;
mod told;
mod year;

use anyhow::Context;

const FACTS: usize = 40_000;
const ROUNDS: usize = 5;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == append::CLIENT) {
        return append::client(&words);
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
    decide::measure(&program, &lines, rounds);
    rules::measure(rounds)?;
    year::measure(&program)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(commit::measure(&lines, rounds))?;
    runtime.block_on(append::measure(&lines, rounds))
}
