//! Health: points of measures, averaged by weight; its band, left only past a margin and after a hold.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expression has some fifty kinds: this is about three"
)]

use crate::ask::{Ask, Subject};
use crate::days;
use crate::deed::{Deed, What};
use crate::told::{About, Known, carried_at};
use crate::walk::Walk;
use jiff::Timestamp;
use model::{Decimal, Value};
use serde_json::json;
use workflow::program::{
    Band, Comparison, Expr, ExprKind, Health, HealthName, Measure, Side, Source,
};

/// The band, and since when the score has been past each edge of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// The band without `red_if`.
    base: Option<Band>,
    /// Since when the score has been past the edge to yellow, and that to green.
    past: [Option<Timestamp>; 2],
    /// All bands that were shown, and from when on.
    history: Vec<(Timestamp, Option<Band>)>,
}

/// What the measures of one side, or of both, come to.
struct Sum {
    score: Option<Decimal>,
    /// The share of the weight that is known.
    known: Decimal,
}

impl State {
    /// The band that is shown.
    pub(crate) fn shown(&self) -> Option<Band> {
        self.history.last().and_then(|(_, band)| *band)
    }

    /// The band that was shown then.
    pub(crate) fn shown_at(&self, then: Timestamp) -> Option<Band> {
        let before = self.history.iter().rfind(|(at, _)| *at <= then);
        before.and_then(|(_, band)| *band)
    }
}

fn plus(one: Decimal, other: Decimal) -> Decimal {
    one.add(other).expect("small numbers")
}

fn times(one: Decimal, other: Decimal) -> Decimal {
    one.mul(other).expect("small numbers")
}

/// An average by weight.
fn average(all: &[(Decimal, Decimal)]) -> Option<Decimal> {
    let zero = Decimal::ZERO;
    let sum = all
        .iter()
        .fold(zero, |sum, (weight, one)| plus(sum, times(*weight, *one)));
    let weights = all.iter().fold(zero, |sum, (weight, _)| plus(sum, *weight));
    sum.div(weights)
}

pub(crate) fn word(band: Band) -> &'static str {
    match band {
        Band::Red => "red",
        Band::Yellow => "yellow",
        Band::Green => "green",
    }
}

/// The band that a score alone gives.
fn band_of(health: &Health, score: Decimal) -> Band {
    if score >= health.bands.green {
        Band::Green
    } else if score >= health.bands.yellow {
        Band::Yellow
    } else {
        Band::Red
    }
}

impl Ask<'_> {
    /// What `health.x` gives.
    pub(crate) fn health(&self, name: HealthName) -> Option<Value> {
        let health = self.known.program.health.as_ref()?;
        let ask = self.definition();
        let score = |number: Option<Decimal>| number.map(Value::Number);
        let band = |band: Option<Band>| band.map(|band| Value::Word(word(band).into()));
        let of = |number: Option<Decimal>| number.map(|number| band_of(health, number));
        match name {
            HealthName::Score => score(ask.both(health).score),
            HealthName::Co => score(ask.side(health, &health.outcome).score),
            HealthName::Cx => score(ask.side(health, &health.experience).score),
            HealthName::Band => band(self.known.band),
            HealthName::CoBand => band(of(ask.side(health, &health.outcome).score)),
            HealthName::CxBand => band(of(ask.side(health, &health.experience).score)),
            HealthName::Weakest => panic!("not asked for here"),
        }
    }

    /// Both sides; one of which nothing is known drops out.
    fn both(&self, health: &Health) -> Sum {
        let sides = [&health.outcome, &health.experience];
        let mut known = Decimal::ZERO;
        let mut all = Vec::new();
        for side in sides {
            let sum = self.side(health, side);
            known = plus(known, times(side.weight, sum.known));
            all.extend(sum.score.map(|score| (side.weight, score)));
        }
        Sum {
            score: average(&all),
            known,
        }
    }

    fn side(&self, health: &Health, side: &Side) -> Sum {
        let mut all = Vec::new();
        for measure in &side.measures {
            let points = self.colour(measure).map(|band| match band {
                Band::Green => health.points[0],
                Band::Yellow => health.points[1],
                Band::Red => health.points[2],
            });
            all.extend(points.map(|points| (measure.weight, points)));
        }
        let known = all
            .iter()
            .fold(Decimal::ZERO, |sum, (weight, _)| plus(sum, *weight));
        Sum {
            score: average(&all),
            known,
        }
    }

    /// Where a measure stands; unknown and stale it stands nowhere.
    fn colour(&self, measure: &Measure) -> Option<Band> {
        if let (Some(after), Some(newest)) = (measure.stale_after, self.newest(&measure.value)) {
            let calendar = &self.known.program.calendar;
            if days::after(calendar, newest, after, &self.known.zone) <= self.known.now {
                return None;
            }
        }
        let how = if measure.lower_is_better {
            Comparison::AtMost
        } else {
            Comparison::AtLeast
        };
        if self.compare(how, &measure.value, &measure.green)? {
            return Some(Band::Green);
        }
        let is_yellow = self.compare(how, &measure.value, &measure.yellow)?;
        Some(if is_yellow { Band::Yellow } else { Band::Red })
    }

    /// When the newest fact happened that said anything of what is measured.
    fn newest(&self, expr: &Expr) -> Option<Timestamp> {
        let told = self.known.told;
        let own = match &expr.kind {
            ExprKind::Account(field) => carried_at(told, &About::Account, field),
            ExprKind::Contract(field) => {
                let id = self.known.current_contract()?;
                carried_at(told, &About::Contract(id.to_owned()), field)
            }
            ExprKind::Metric(index) => match &self.known.program.metrics[*index].source {
                Source::Formula(formula) => self.newest(formula),
                Source::Events(aggregate) => {
                    let all = self.told_of(*index, aggregate).into_iter();
                    all.map(|one| one.at).max()
                }
            },
            _ => None,
        };
        let inside = expr
            .children()
            .into_iter()
            .filter_map(|one| self.newest(one));
        inside.chain(own).max()
    }
}

impl Walk<'_> {
    /// Brings the band up to now. Gives whether another one is shown.
    pub(crate) fn move_health(&mut self, known: &Known<'_>) -> bool {
        let health = self.program.health.as_ref().expect("there is health");
        let ask = Ask::new(known, &Subject::Account);
        let sum = ask.both(health);
        let score = sum.score.filter(|_| health.needs <= sum.known);
        match (self.health.base, score) {
            (_, None) => {
                if self.health.base.is_some() {
                    self.sometimes.note("too little is known for a band");
                }
                (self.health.base, self.health.past) = (None, [None, None]);
            }
            (None, Some(score)) => self.health.base = Some(band_of(health, score)),
            (Some(base), Some(score)) => self.move_edges(known, health, (base, score)),
        }
        let red = health.red_if.as_ref();
        let is_red = red.is_some_and(|red| ask.truth(red) == Some(true));
        let state = &mut self.health;
        let band = if is_red { Some(Band::Red) } else { state.base };
        let before = state.shown();
        if before == band {
            return false;
        }
        if is_red && state.base != band {
            self.sometimes.note("red at once");
        }
        state.history.push((known.now, band));
        self.tell_health(known, before, band);
        true
    }

    /// Each edge is passed once the score has been past it by the margin for the whole hold.
    fn move_edges(&mut self, known: &Known<'_>, health: &Health, at: (Band, Decimal)) {
        let (base, score) = at;
        let edges = [
            (health.bands.yellow, Band::Yellow),
            (health.bands.green, Band::Green),
        ];
        let mut band = Band::Red;
        for (index, (edge, above)) in edges.into_iter().enumerate() {
            let is_above = base >= above;
            let is_past = if is_above {
                score < edge.sub(health.margin).expect("small numbers")
            } else {
                score >= plus(edge, health.margin)
            };
            let before = self.health.past[index];
            let since = is_past.then(|| before.unwrap_or(known.now));
            let calendar = &known.program.calendar;
            let due = |since| days::after(calendar, since, health.hold, &known.zone);
            let is_over = since.is_some_and(|since| due(since) <= known.now);
            self.health.past[index] = since.filter(|_| !is_over);
            if is_above != is_over {
                band = above;
            }
            if is_over && before.is_some() {
                self.sometimes.note("a band's hold is over");
            }
            if !is_past && before.is_some() {
                self.sometimes.note("a band's hold is reset");
            }
            if !is_past && (band_of(health, score) >= above) != is_above {
                self.sometimes.note("within the margin of a band");
            }
        }
        self.health.base = Some(band);
    }

    fn tell_health(&mut self, known: &Known<'_>, from: Option<Band>, to: Option<Band>) {
        let shown = |band: Option<Band>| band.map_or("", word).to_owned();
        self.sometimes.note("health.changed");
        self.deeds.push(Deed {
            at: known.now,
            workflow: String::new(),
            subject: String::new(),
            step: None,
            what: What::Health(shown(from), shown(to)),
        });
        let mut data = json!({});
        for (key, band) in [("from", from), ("to", to)] {
            if let Some(band) = band {
                data[key] = json!(word(band));
            }
        }
        self.tell_own(known, ("health.changed", known.now, data), None);
    }
}
