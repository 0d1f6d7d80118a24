//! `sottaku demo`: a year of generated customers at a virtual pace, decided for real; mails are kept.

mod react;

use crate::arguments::Demo;
use crate::dev::{forget, open};
use crate::exit::Exit;
use crate::print::{Output, Printer};
use crate::sample::{self, Span, Told, fact};
use crate::serve::{log_to_stderr, runtime, stop_signal};
use crate::{check, records, show, workspace};
use anyhow::Context;
use jiff::{Timestamp, ToSpan, civil::date, tz::TimeZone};
use model::fact::TICK;
use model::{Kind, Record};
use serde_json::json;
use server::config::{Mode, StorePlace};
use server::{Clock, Config, Roles, Server};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{ClockMode, Incoming, NewFact, Store};
use tokio::sync::broadcast::{Receiver, error::TryRecvError};
use tokio::time::Instant;

/// How often is asked whether all was decided.
const LOOK: Duration = Duration::from_millis(10);
/// Logins of one customer in a year, about: enough for its seats to be in use.
const LOGINS: i64 = 110;

/// Lets the days pass.
pub(crate) fn run(arguments: &Demo) -> anyhow::Result<Exit> {
    log_to_stderr("warn");
    let path = arguments
        .store
        .clone()
        .unwrap_or_else(|| arguments.dir.join(".sottaku").join("demo.db"));
    let files = workspace::read(&arguments.dir)?;
    check::program(&files)?;
    forget(&path)?;
    runtime()?.block_on(async {
        let store = open(&path, ClockMode::Log).await?;
        server::activate(&store, &files, Timestamp::now())
            .await
            .context("applying the workspace")?;
        let mut config = Config::load(None)?;
        config.mode = Mode::Captured;
        config.store = StorePlace::File(path.clone());
        let roles = Roles {
            http: false,
            ..Roles::ALL
        };
        let server = Server::start(config, store.clone(), Clock::wall(), roles).await?;
        let mut world = World::new(arguments, &store, &server);
        let lived = tokio::select! {
            lived = world.live() => lived,
            stopped = stop_signal() => stopped,
        };
        let told = world.summary(&path).await;
        drop(world);
        server.stop().await;
        store.close().await;
        lived?;
        let mut printer = Printer::new();
        printer.text(told?)?;
        printer.flush()?;
        Ok(Exit::Done)
    })
}

/// The generated world and what was seen of it.
struct World<'a> {
    arguments: &'a Demo,
    store: &'a Store,
    server: &'a Server,
    decided: Receiver<Arc<Record>>,
    printer: Printer,
    seen: BTreeMap<Kind, u64>,
    goals: u64,
    /// What people will do about what reached them.
    answers: Vec<Told>,
    by_workflow: BTreeMap<Box<str>, Share>,
    is_mail_shown: bool,
}

/// What one workflow did.
#[derive(Debug, Default)]
struct Share {
    runs: u64,
    mails: u64,
    tasks: u64,
    goals: u64,
}

impl Share {
    fn count(&mut self, record: &Record) {
        let is_goal = record.kind == Kind::End && record.how.as_deref() == Some("goal");
        self.runs += u64::from(record.kind == Kind::Start);
        self.mails += u64::from(record.kind == Kind::Send);
        self.tasks += u64::from(record.kind == Kind::Task);
        self.goals += u64::from(is_goal);
    }

    fn line(&self, workflow: &str) -> String {
        format!(
            "  {workflow:16} {:5} runs {:5} mails {:5} tasks {:5} goals",
            self.runs, self.mails, self.tasks, self.goals
        )
    }
}

impl<'a> World<'a> {
    fn new(arguments: &'a Demo, store: &'a Store, server: &'a Server) -> Self {
        Self {
            arguments,
            store,
            server,
            decided: server.records(),
            printer: Printer::new(),
            seen: BTreeMap::new(),
            goals: 0,
            answers: Vec::new(),
            by_workflow: BTreeMap::new(),
            is_mail_shown: false,
        }
    }

    async fn live(&mut self) -> anyhow::Result<()> {
        let span = Span {
            from: date(2026, 1, 1),
            days: self.arguments.days,
            logins: LOGINS,
        };
        let accounts = usize::try_from(self.arguments.accounts)?;
        let mut facts = sample::facts(self.arguments.seed, accounts, span)
            .into_iter()
            .peekable();
        let begin = TimeZone::UTC.to_timestamp(span.from.at(0, 0, 0, 0))?;
        let pace =
            Duration::from_secs(u64::from(self.arguments.seconds)) / u32::try_from(span.days)?;
        let started = Instant::now();
        for day in 1..=span.days {
            let midnight = begin + (day * 24).hours();
            let (mut today, later) = std::mem::take(&mut self.answers)
                .into_iter()
                .partition::<Vec<Told>, _>(|told| told.at < midnight);
            self.answers = later;
            while let Some(told) = facts.next_if(|told| told.at < midnight) {
                today.push(told);
            }
            today.sort_by_key(|told| told.at);
            self.pass(today, midnight).await?;
            tokio::time::sleep_until(started + pace * u32::try_from(day)?).await;
        }
        Ok(())
    }

    /// Tells the day's facts and its end, waits until all is decided, and shows it.
    async fn pass(&mut self, today: Vec<Told>, midnight: Timestamp) -> anyhow::Result<()> {
        let mut incoming = Incoming::default();
        for told in &today {
            incoming.facts.extend(self.spread(told)?);
        }
        let mut tick = fact(midnight, &format!("tick-{midnight}"), TICK, "", json!({}));
        tick.fact.subject = None;
        incoming.facts.extend(self.spread(&tick)?);
        self.store.append(incoming).await?;
        self.server.nudge();
        loop {
            self.show().await?;
            if self.is_decided().await? {
                return self.show().await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn spread(&self, told: &Told) -> anyhow::Result<Vec<NewFact>> {
        let new = ingest::NewFact {
            json: serde_json::to_string(&told.fact)?.into(),
            account: told
                .fact
                .subject
                .clone()
                .filter(|_| !told.fact.is_csm())
                .map(model::AccountId::new),
            kind: told.fact.kind.clone(),
        };
        Ok(server::log_facts(self.store, &new, Timestamp::now()))
    }

    async fn is_decided(&self) -> anyhow::Result<bool> {
        for state in self.store.shard_states().await? {
            if state.mark.position < self.store.log_end(state.shard).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn show(&mut self) -> anyhow::Result<()> {
        loop {
            match self.decided.try_recv() {
                Ok(record) => self.record(&record).await?,
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        self.printer.flush()?;
        Ok(())
    }

    async fn record(&mut self, record: &Record) -> anyhow::Result<()> {
        *self.seen.entry(record.kind).or_default() += 1;
        self.goals += u64::from(record.kind == Kind::End && record.how.as_deref() == Some("goal"));
        self.answers.extend(react::to(record, self.arguments.seed)?);
        if let Some(workflow) = &record.workflow {
            let share = self.by_workflow.entry(workflow.clone()).or_default();
            share.count(record);
        }
        match self.arguments.output {
            Output::Json => self.printer.json(record)?,
            Output::Text => self.printer.line(records::line(record))?,
        }
        if record.kind == Kind::Send && !self.is_mail_shown && self.arguments.output == Output::Text
        {
            self.is_mail_shown = self.first_mail().await?;
        }
        Ok(())
    }

    /// The first mail is shown whole.
    async fn first_mail(&mut self) -> anyhow::Result<bool> {
        let kept = self.store.captured(0, 50).await?;
        let mail = kept.iter().find(|row| &*row.captured.channel == "email");
        if let Some(mail) = mail {
            self.printer.line(show::whole(mail))?;
        }
        Ok(mail.is_some())
    }

    async fn summary(&self, path: &Path) -> anyhow::Result<String> {
        let seen = |kind| self.seen.get(&kind).copied().unwrap_or(0);
        let store = path.display();
        let states: Vec<String> = self
            .store
            .delivery_counts()
            .await?
            .into_iter()
            .map(|(state, count)| format!("{count} {}", state.as_str()))
            .collect();
        let mut lines = vec![
            String::new(),
            format!(
                "{} customers, {} days: {} runs, {} mails, {} alerts, {} approvals asked, {} tasks, {} goals",
                self.arguments.accounts,
                self.arguments.days,
                seen(Kind::Start),
                seen(Kind::Send),
                seen(Kind::Alert),
                seen(Kind::Ask),
                seen(Kind::Task),
                self.goals,
            ),
            format!("messages (kept, not sent): {}", states.join(", ")),
            String::new(),
        ];
        for (workflow, share) in &self.by_workflow {
            lines.push(share.line(workflow));
        }
        lines.extend([String::new(), "Look at them:".to_owned()]);
        for command in [
            "mail list",
            "mail show MESSAGE",
            "task list --all",
            "journal --account a-0001",
            "log export",
        ] {
            lines.push(format!("  cargo run -- {command} --store {store}"));
        }
        Ok(lines.join("\n") + "\n")
    }
}
