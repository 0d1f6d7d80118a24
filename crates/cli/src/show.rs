//! Shows decisions as they are made, and the mails that were kept, with their text.

use crate::mail;
use crate::print::{Output, Printer};
use crate::records;
use model::{Channel, DeliveryState, Record};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::{CapturedRow, Delivery, DeliveryFilter, Store};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// How the detail of a mail begins for which there is no ground.
const NO_CONSENT: &str = "no_consent";
/// How often kept mails are looked for.
const LOOK: Duration = Duration::from_millis(150);
/// How many are shown at once.
const PAGE: u32 = 100;
/// How many looks pass between two at what was stopped: it is read from the beginning.
const STOPPED_EVERY: u32 = 5;
/// So many stopped mails are told of.
const STOPPED_MAX: usize = 200;

/// What is shown, and how far.
pub(crate) struct Show<'a> {
    store: &'a Store,
    decided: Receiver<Arc<Record>>,
    output: Output,
    printer: Printer,
    after: u64,
    look: tokio::time::Interval,
    looks: u32,
    /// Stopped mails that were told of, by their numbers.
    stopped: BTreeSet<u64>,
}

impl<'a> Show<'a> {
    /// Shows what comes from now on.
    pub(crate) async fn new(
        store: &'a Store,
        decided: Receiver<Arc<Record>>,
        output: Output,
    ) -> anyhow::Result<Self> {
        let mut after = 0;
        while let Some(last) = store.captured(after, PAGE).await?.last() {
            after = last.number;
        }
        let look = tokio::time::interval(LOOK);
        let stopped = stopped(store).await?.into_iter();
        Ok(Self {
            looks: 0,
            stopped: stopped.map(|one| one.number).collect(),
            store,
            decided,
            output,
            printer: Printer::new(),
            after,
            look,
        })
    }

    /// Shows the next thing that happens.
    pub(crate) async fn next(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            record = self.decided.recv() => match record {
                Ok(record) => self.record(&record)?,
                Err(RecvError::Lagged(missed)) => self.printer.line(format!("… {missed} more; `sottaku journal` has all"))?,
                Err(RecvError::Closed) => std::future::pending().await,
            },
            _ = self.look.tick() => {
                self.kept().await?;
                self.stopped().await?;
            }
        }
        self.printer.flush()?;
        Ok(())
    }

    fn record(&mut self, record: &Record) -> anyhow::Result<()> {
        match self.output {
            Output::Json => self.printer.json(record),
            Output::Text => Ok(self.printer.line(records::line(record))?),
        }
    }

    /// Says of each mail that was stopped for want of a ground that it was, and what to do.
    async fn stopped(&mut self) -> anyhow::Result<()> {
        self.looks += 1;
        if self.output == Output::Json || !self.looks.is_multiple_of(STOPPED_EVERY) {
            return Ok(());
        }
        for one in stopped(self.store).await? {
            if self.stopped.insert(one.number) {
                self.printer.line(why_stopped(&one))?;
            }
        }
        Ok(())
    }

    async fn kept(&mut self) -> anyhow::Result<()> {
        for row in self.store.captured(self.after, PAGE).await? {
            self.after = row.number;
            if self.output == Output::Text {
                self.printer.line(whole(&row))?;
            }
        }
        Ok(())
    }
}

/// Mails that were stopped for want of a ground.
async fn stopped(store: &Store) -> anyhow::Result<Vec<Delivery>> {
    let filter = DeliveryFilter {
        state: Some(DeliveryState::Suppressed),
        count_max: u32::try_from(STOPPED_MAX).unwrap_or(u32::MAX),
        ..DeliveryFilter::default()
    };
    let mut all = store.deliveries(filter).await?;
    all.retain(|one| one.detail.starts_with(NO_CONSENT));
    Ok(all)
}

/// A stopped mail, and what would let the next one leave.
fn why_stopped(one: &Delivery) -> String {
    let to: &str = match &one.outgoing.channel {
        Channel::Email { to, .. } => &to.address,
        Channel::Route { route: name, .. } | Channel::Webhook { name } => name,
    };
    let lines = [
        format!("  ┌ email to {to}: not sent, suppressed"),
        format!("  │ {}", one.detail),
        "  │ The next one leaves if the account has a contract that runs, or once somebody records a proof:".to_owned(),
        format!("  │   sottaku consent add {to} --basis consent --how FORM   (with the `--store` of this run)"),
        "  │ `jurisdiction` in the settings (SOTTAKU_JURISDICTION) says whose law it is.".to_owned(),
        format!("  └ {}", one.outgoing.message),
    ];
    lines.join("\n")
}

/// A kept message, with its text set in.
pub(crate) fn whole(row: &CapturedRow) -> String {
    let captured = &row.captured;
    let mut lines = vec![format!(
        "  ┌ {} to {}: {}",
        captured.channel, captured.to, captured.subject
    )];
    if &*captured.channel == "email" {
        lines.extend(
            mail::text(captured)
                .lines()
                .map(|line| format!("  │ {line}")),
        );
    }
    lines.push(format!("  └ {}", captured.message));
    lines.join("\n")
}
