//! One decision under way: what it reads, what it changes, in the order of one instant (language.md, 5.2).

mod alert;
mod answer;
mod answered;
mod approval;
mod backfill;
mod begin;
mod behind;
mod blame;
mod choose;
mod contest;
mod definitions;
mod ends;
mod expired;
mod handed;
mod held;
mod history;
mod hold;
mod intake;
mod late;
mod limit;
mod listen;
mod occurrence;
mod offer;
mod overdue;
mod path;
mod place;
mod preview;
mod ready;
mod rebase;
mod recipients;
mod record;
mod recount;
mod risk;
mod route;
mod send;
mod set;
mod starts;
mod steps;
mod stop;
mod subject;
mod tell;
mod tree;
mod view;
mod wait;
mod wake;
mod webhook;
mod why;

pub(crate) use answered::{Heard, is_answered};
pub(crate) use recount::{SENT, is_recorded};
pub(crate) use route::flat;

use crate::account::Account;
use crate::calendar::{self, Stretches};
use crate::context::{Clock, Context};
use crate::evaluate::{Carrier, Memo};
use crate::known::Known;
use crate::rebase::Change;
use contest::Contender;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{Decision, Record, Value};
use offer::Offer;
use place::Place;
use workflow::program::Workflow;

/// How often one instant goes round before it is stopped loudly.
const ROUNDS_MAX: usize = 8;

/// Why this decision is made.
#[derive(Clone, Copy, Debug, Default)]
struct Cause {
    /// When the fact happened; none for a wake-up.
    occurred_at: Option<Timestamp>,
    /// Whether steps may act.
    acts: bool,
    /// Whether a marked fact is the cause: what it makes true waits.
    is_marked: bool,
    /// Whether a history closes: `existing` decides.
    closes: Option<Closing>,
}

/// What kind of history closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    /// Nothing moved while it was open.
    Frozen,
    /// The account was live before; only what marked facts made true waited.
    Waiting,
}

/// One decision under way.
pub(crate) struct Turn<'a, 'b> {
    context: &'a Context<'a>,
    account: &'b mut Account,
    now: Timestamp,
    zone: TimeZone,
    /// Where the zone keeps its clocks.
    stretches: Stretches,
    /// What was read since the state last changed.
    memo: Memo,
    cause: Cause,
    out: Decision,
    /// Whether anything but the clock moved.
    is_moved: bool,
    /// Whether the fact changed nothing that a condition could read: the wake-up stands as it is.
    is_idle: bool,
    /// Whether there was nothing to decide at all.
    is_untouched: bool,
    /// Conditions with a hold that time made true before the fact came: workflow or risk, and subject.
    risen: Vec<(Box<str>, Box<str>)>,
    /// Runs whose steps acted in the present round.
    acted: Vec<(&'a Workflow, usize)>,
    /// Runs that began in the present round.
    begun: Vec<(&'a Workflow, usize)>,
    /// What happened and is still to be offered to starts.
    offers: Vec<Offer>,
    /// What the text changed, while the account is brought over.
    change: Option<&'a Change>,
    /// Whether what is found now comes of a back-fill, and so is no news.
    is_backfilled: bool,
    /// Mails that stand back in the present round, since a limit counts them.
    contenders: Vec<Contender<'a>>,
    /// The one among them that is let go.
    let_go: Option<Contender<'a>>,
}

impl<'a, 'b> Turn<'a, 'b> {
    /// Begins a decision at `now`.
    pub(crate) fn new(context: &'a Context<'a>, account: &'b mut Account, now: Timestamp) -> Self {
        let mut turn = Self {
            context,
            account,
            now,
            zone: TimeZone::UTC,
            stretches: Stretches::from(now, &TimeZone::UTC),
            memo: Memo::default(),
            cause: Cause::default(),
            out: Decision::default(),
            is_moved: false,
            is_idle: false,
            is_untouched: false,
            risen: Vec::new(),
            acted: Vec::new(),
            begun: Vec::new(),
            offers: Vec::new(),
            change: None,
            is_backfilled: false,
            contenders: Vec::new(),
            let_go: None,
        };
        turn.find_zone();
        turn
    }

    /// A wake-up: all that time alone changed, and the steps that are ready.
    pub(crate) fn wake(&mut self) {
        if self.is_history_due() {
            self.close_history();
        }
        self.cause = Cause {
            acts: !self.account.head.is_frozen(),
            ..Cause::default()
        };
        self.settle();
        if !self.is_moved {
            self.account.quiet_wakes += 1;
        }
    }

    /// Values held fast changed (scenarios): looked at as if a fact had said so.
    pub(crate) fn repinned(&mut self, at: Timestamp) {
        self.cause.occurred_at = Some(at.min(self.now));
        self.settle();
    }

    /// Hands over what was decided, with the next wake-up set.
    pub(crate) fn end(mut self) -> Decision {
        if self.out.is_duplicate || self.out.parked.is_some() || self.is_untouched {
            return self.out;
        }
        self.account.head.now = Some(self.now);
        if !self.is_idle {
            self.prune();
            self.release_held();
            self.account.head.wake_at = self.next_wake();
        }
        self.out.is_changed = true;
        // The account's own records first, then by workflow, subject and run; the order of emission inside.
        let place = |record: &Record| {
            (
                record.workflow.clone(),
                record.subject.clone(),
                record.run.clone(),
            )
        };
        self.out.records.sort_by_cached_key(place);
        self.out
    }

    /// Definitions, ends, starts, steps; repeated until nothing moves.
    fn settle(&mut self) {
        if self.cause.acts {
            self.tell_overdue();
        }
        for _ in 0..ROUNDS_MAX {
            self.acted.clear();
            self.begun.clear();
            self.memo.forget();
            let mut is_moving = self.definitions();
            if !self.account.head.is_frozen() {
                is_moving |= self.ends();
            }
            is_moving |= self.starts();
            if self.cause.closes.take().is_some() {
                // What `existing` decided is no news.
                self.offers.clear();
            }
            if self.cause.acts {
                is_moving |= self.steps();
            }
            is_moving |= !self.offers.is_empty();
            if !is_moving {
                return;
            }
            self.is_moved = true;
        }
        self.stop_stuck();
    }

    /// Reads expressions at this instant, at a place.
    fn look<R>(&self, place: Place<'_>, read: impl FnOnce(&crate::evaluate::Scene<'_>) -> R) -> R {
        let known = self.known();
        place.look(self, &known, read)
    }

    fn known(&self) -> Known<'_> {
        Known {
            context: self.context,
            head: &self.account.head,
            parts: &self.account.parts,
            current: std::cell::OnceCell::new(),
            memo: None,
        }
    }

    /// The same for many questions in a row, while nothing changes.
    fn known_by<'k>(&'k self, memo: &'k Memo) -> Known<'k> {
        Known {
            memo: Some(memo),
            ..self.known()
        }
    }

    /// Reads with what was read since the state last changed: only for those who forget it when they change something.
    fn look_again<R>(
        &self,
        place: Place<'_>,
        read: impl FnOnce(&crate::evaluate::Scene<'_>) -> R,
    ) -> R {
        let known = self.known_by(&self.memo);
        place.look(self, &known, read)
    }

    /// The zone of the account: its own, or the calendar's.
    fn find_zone(&mut self) {
        use crate::evaluate::Knowledge;
        let own = match self.known().field(Carrier::Account, "timezone") {
            Some(Value::Text(name)) if self.zone.iana_name() == Some(&**name) => return,
            Some(Value::Text(name)) => calendar::zone(name),
            Some(_) | None => None,
        };
        let zone = own.unwrap_or_else(|| self.calendar_zone());
        if zone != self.zone {
            self.stretches = Stretches::from(self.now, &zone);
            self.zone = zone;
        }
    }

    /// The calendar's zone, which is also the CSM's.
    fn calendar_zone(&self) -> TimeZone {
        calendar::zone(&self.context.program.calendar.timezone).unwrap_or(TimeZone::UTC)
    }

    fn is_live(&self) -> bool {
        self.context.clock == Clock::Live
    }

    /// The moment for which the cause is evidence: the fact's own time, else now.
    fn evidence_at(&self) -> Timestamp {
        self.cause.occurred_at.unwrap_or(self.now).min(self.now)
    }
}
