//! How fast the road is: each part beside its floor, measured in turns in the same run.
//!
//! `cargo run --profile dist -p bench [FACTS] [ROUNDS] [PART…]`

mod append;
mod clients;
mod commit;
mod cpu;
mod decide;
#[cfg(feature = "kafka")]
mod due;
mod facts;
mod latency;
mod load;
mod mails;
mod pace;
#[cfg(feature = "kafka")]
mod production;
mod rules;
mod sink;
mod smtp_sink;
#[cfg(feature = "kafka")]
mod stream;
mod taker;
mod told;
mod written;
mod year;

use anyhow::{Context, bail};

/// As the product has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FACTS: usize = 40_000;
const ROUNDS: usize = 5;
const PARTS: [&str; 9] = [
    "decide", "rules", "year", "commit", "append", "mails", "signed", "bills", "latency",
];
/// Those that start real servers: only by their names, and with the feature `kafka`.
const ON_SERVERS: [&str; 2] = ["stream", "due"];

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
    let known = [&PARTS[..], &ON_SERVERS[..]].concat();
    if let Some(unknown) = parts.iter().find(|part| !known.contains(part)) {
        bail!("`{unknown}` is none of {}", known.join(", "));
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
        runtime.block_on(mails::measure(facts, rounds))?;
    }
    if is_wanted("signed") {
        runtime.block_on(mails::measure_signed(facts, rounds))?;
    }
    if is_wanted("bills") {
        runtime.block_on(mails::measure_bills(facts, rounds))?;
    }
    if is_wanted("latency") {
        runtime.block_on(latency::measure())?;
    }
    let on_servers: Vec<&str> = ON_SERVERS
        .into_iter()
        .filter(|part| parts.contains(part))
        .collect();
    runtime.block_on(on_real_servers(&on_servers, (facts, rounds)))
}

#[cfg(feature = "kafka")]
async fn on_real_servers(parts: &[&str], (facts, rounds): (usize, usize)) -> anyhow::Result<()> {
    if parts.contains(&"stream") {
        stream::measure(facts, rounds).await?;
    }
    if parts.contains(&"due") {
        due::measure().await?;
    }
    Ok(())
}

#[cfg(not(feature = "kafka"))]
async fn on_real_servers(parts: &[&str], _size: (usize, usize)) -> anyhow::Result<()> {
    match parts.first() {
        Some(part) => bail!("`{part}` wants the bench built with `--features kafka`"),
        None => Ok(()),
    }
}
