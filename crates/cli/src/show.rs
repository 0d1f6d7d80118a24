//! Shows decisions as they are made, and the mails that were kept, with their text.

use crate::mail;
use crate::print::{Output, Printer};
use crate::records;
use model::Record;
use std::sync::Arc;
use std::time::Duration;
use store::{CapturedRow, Store};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// How often kept mails are looked for.
const LOOK: Duration = Duration::from_millis(150);
/// How many are shown at once.
const PAGE: u32 = 100;

/// What is shown, and how far.
pub(crate) struct Show<'a> {
    store: &'a Store,
    decided: Receiver<Arc<Record>>,
    output: Output,
    printer: Printer,
    after: u64,
    look: tokio::time::Interval,
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
        Ok(Self {
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
            _ = self.look.tick() => self.kept().await?,
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
