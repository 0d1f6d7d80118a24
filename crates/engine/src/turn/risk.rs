//! Risks: cases open when `opens` has held, and close when `closes` is true and `opens` is not.

use super::place::Place;
use super::{Closing, Turn};
use crate::head::{Case, RiskState};
use crate::memory::Hold;
use model::{Kind, Record, Value};
use workflow::program::{Expr, Risk};

impl Turn<'_, '_> {
    /// Brings a risk up to this instant. Gives whether a case opened or closed.
    pub(super) fn risk(&mut self, risk: &Risk) -> bool {
        let (opens, closes) = match self.held_fast(risk) {
            Some(is_open) => (Some(is_open), Some(!is_open)),
            None => self.look_again(Place::default(), |scene| {
                (scene.truth(&risk.opens), scene.truth(&risk.closes))
            }),
        };
        let before = self
            .account
            .head
            .risks
            .get(&risk.name)
            .cloned()
            .unwrap_or_default();
        let mut state = before.clone();
        let mut is_changed = false;
        if state.case.is_some() {
            if closes == Some(true) && opens != Some(true) {
                state.closed.extend(state.case.take());
                is_changed = true;
            }
        } else {
            is_changed = self.may_open(risk, opens, &mut state);
        }
        if risk.hold.is_some() {
            self.follow_false(opens, &mut state);
        }
        if state != before {
            self.is_moved = true;
            self.memo.forget();
            self.account.head.risks.insert(risk.name.clone(), state);
        }
        if is_changed {
            self.tell_risk(risk, before.case);
        }
        is_changed
    }

    /// Keeps since when `opens` has been false, also while a case is open: no hold begins before that.
    fn follow_false(&self, opens: Option<bool>, state: &mut RiskState) {
        match opens {
            Some(false) if state.false_at.is_none() => state.false_at = Some(self.evidence_at()),
            Some(true) => state.false_at = None,
            Some(false) | None => {}
        }
    }

    /// Follows the hold of a risk without a case; gives whether a case opened.
    fn may_open(&self, risk: &Risk, opens: Option<bool>, state: &mut RiskState) -> bool {
        let is_frozen = self.account.head.is_frozen();
        match opens {
            None => {
                state.hold = state.hold.map(|hold| self.pause(hold));
                return false;
            }
            Some(false) => {
                state.hold = None;
                state.is_marked = false;
                return false;
            }
            Some(true) => {}
        }
        let hold = match state.hold {
            Some(hold) => self.resume(hold),
            None => {
                state.is_marked |= is_frozen
                    || self.cause.is_marked
                    || self.cause.closes.is_some()
                    || self.is_backfilled;
                self.risk_hold(risk, state)
            }
        };
        state.hold = Some(hold);
        let is_due = risk.hold.is_none_or(|period| {
            self.hold_due(hold, period)
                .is_some_and(|due| due <= self.now)
        }) || self.held_fast(risk).is_some();
        if is_frozen || !is_due {
            return false;
        }
        state.cases = state.cases.saturating_add(1);
        let is_true =
            |condition: &Expr| self.look(Place::default(), |scene| scene.is_true(condition));
        let is_high = match self
            .pin("risk.severity")
            .filter(|_| self.held_fast(risk).is_some())
        {
            Some(word) => word.text() == Some("high"),
            None => risk.high_if.as_ref().is_some_and(is_true),
        };
        state.case = Some(Case {
            id: format!("{}-{}", risk.name, state.cases).into(),
            opened_at: self.now,
            is_marked: state.is_marked,
            is_high,
        });
        state.hold = None;
        state.is_marked = false;
        true
    }

    fn risk_hold(&self, risk: &Risk, state: &RiskState) -> Hold {
        match self.cause.closes {
            Some(Closing::Waiting) | None
                if self.is_risen(&risk.name, "") || self.is_risk_redefined(&risk.name) =>
            {
                Hold {
                    since: self.now,
                    paused_at: None,
                }
            }
            Some(Closing::Frozen) => Hold {
                since: self.now,
                paused_at: None,
            },
            Some(Closing::Waiting) | None => self.begin_hold(state.false_at),
        }
    }

    /// Tells that a case opened (there was none before) or closed.
    fn tell_risk(&mut self, risk: &Risk, before: Option<Case>) {
        let now_open = self
            .account
            .head
            .risks
            .get(&risk.name)
            .and_then(|state| state.case.clone());
        let is_open = now_open.is_some();
        let Some(case) = now_open.or(before) else {
            return;
        };
        let is_high = case.is_high;
        let severity = if is_high { "high" } else { "normal" };
        let (kind, event) = if is_open {
            (Kind::RiskOpened, "risk.opened")
        } else {
            (Kind::RiskClosed, "risk.closed")
        };
        let record = Record {
            name: Some(risk.name.clone()),
            value: Some(severity.into()),
            ..self.own_record(kind)
        };
        self.push(record);
        let fields = [
            ("category", Some(Value::Word(risk.name.clone()))),
            ("severity", Some(Value::Word(severity.into()))),
            ("title", Some(Value::Text(risk.title.clone()))),
        ];
        // A case that was there before anybody looked is no news to start on.
        if case.is_marked && is_open {
            return self.measure_own(event, &fields);
        }
        self.tell_of(Some(&case.id), event, &fields);
    }

    /// Whether a scenario holds the case of a risk open, or closed.
    fn held_fast(&self, risk: &Risk) -> Option<bool> {
        let category = self.pin("risk.category")?;
        let is_open = match self.pin("risk.open") {
            Some(Value::Bool(is_open)) => *is_open,
            Some(_) | None => true,
        };
        // The case of a fixture is the only one: no other opens beside it.
        Some(is_open && category.text() == Some(&*risk.name))
    }

    fn pin(&self, name: &str) -> Option<&Value> {
        self.context.pins?.values.get(name)?.as_ref()
    }
}
