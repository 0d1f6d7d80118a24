//! No flip is missed: an account that sleeps as the look-ahead says, beside a slow watcher who never sleeps.

use crate::dice::Dice;
use crate::random::{Pace, TESTED, around, history, program};
use crate::slow::Slow;
use crate::sometimes::Sometimes;
use crate::world::{AtHand, Raw, World, whole};
use engine::calendar::{Stretches, add, start_of, zone};
use engine::evaluate::Memo;
use engine::health;
use engine::lookahead::next_change;
use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use model::{Decimal, Value};
use std::collections::{BTreeMap, BTreeSet};
use workflow::program::Band;

const ZONES: [&str; 12] = [
    "Asia/Tokyo",
    "America/New_York",
    "Europe/London",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Africa/Cairo",
    "America/Santiago",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
];

/// So many of a hundred wake-ups may change nothing.
const IDLE_MAX: u64 = 64;

/// What a whole run came to.
#[derive(Debug, Default)]
struct Sum {
    flips: u64,
    wakes: u64,
    idle: u64,
    health_wakes: u64,
    health_idle: u64,
    known: u64,
    checks: u64,
    sometimes: Sometimes,
}

/// The band, watched by one who looks at every instant that matters.
#[derive(Default)]
struct Watcher {
    base: Option<Band>,
    shown: Option<Band>,
    since: [Option<Timestamp>; 2],
}

impl Watcher {
    fn step(&mut self, world: &World, now: Timestamp) {
        let Some(health) = &world.program.health else {
            return;
        };
        let due = |since| add(&world.program.calendar, since, health.hold, &world.zone);
        let slow = Slow::new(world, now, None);
        let before = self.base;
        for edge in 0..2 {
            if self.since[edge].and_then(due).is_some_and(|due| due < now) {
                self.flip(edge, before);
            }
        }
        let (score, known) = slow.score();
        match score.filter(|_| known >= health.needs) {
            None => {
                self.base = None;
                self.since = [None, None];
            }
            Some(score) => {
                let bounds = [health.bands.yellow, health.bands.green];
                let Some(base) = self.base else {
                    let reached = bounds.iter().filter(|bound| score >= **bound).count();
                    self.base = Some([Band::Red, Band::Yellow, Band::Green][reached]);
                    self.since = [None, None];
                    return self.show(&slow);
                };
                for (edge, bound) in bounds.into_iter().enumerate() {
                    let is_above = base > [Band::Red, Band::Yellow][edge];
                    let margin = health.margin;
                    let is_past = if is_above {
                        score < bound.sub(margin).expect("small")
                    } else {
                        score >= bound.add(margin).expect("small")
                    };
                    if !is_past {
                        self.since[edge] = None;
                        continue;
                    }
                    let since = *self.since[edge].get_or_insert(now);
                    if due(since).is_some_and(|due| due <= now) {
                        self.flip(edge, Some(base));
                    }
                }
            }
        }
        self.show(&slow);
    }

    /// Passes an edge that the band lay above or below before.
    fn flip(&mut self, edge: usize, before: Option<Band>) {
        self.since[edge] = None;
        let is_above = before > Some([Band::Red, Band::Yellow][edge]);
        self.base = self.base.map(|base| match (is_above, edge) {
            (true, 0) => Band::Red,
            (true, _) => base.min(Band::Yellow),
            (false, 0) => base.max(Band::Yellow),
            (false, _) => Band::Green,
        });
    }

    fn show(&mut self, slow: &Slow<'_>) {
        let health = slow.world.program.health.as_ref().expect("there is health");
        let is_red = health
            .red_if
            .as_ref()
            .is_some_and(|red| slow.truth(red) == Some(true));
        self.shown = if is_red { Some(Band::Red) } else { self.base };
    }
}

/// One condition of the account that sleeps.
struct Sleeper {
    tested: usize,
    held: Option<bool>,
    wake: Option<Timestamp>,
}

impl Sleeper {
    fn look(world: &World, tested: usize, now: Timestamp) -> Self {
        let scene = world.scene(now);
        let condition = &world.program.segments[tested].condition;
        let wake = next_change(&scene, condition);
        assert!(
            wake.is_none_or(|wake| wake > now),
            "a wake-up lies ahead: {wake:?} at {now}"
        );
        Self {
            tested,
            held: scene.truth(condition),
            wake,
        }
    }
}

/// Brings the band up to now; gives whether it moved.
fn watch_band(world: &mut World, now: Timestamp) -> bool {
    let mut state = world.health;
    let update = health::update(&world.scene(now), &mut state);
    world.health = state;
    if update.is_changed {
        world.forget();
    }
    update.from.is_some()
}

fn fields(world: &mut World, dice: &mut Dice, (now, pace): (Timestamp, Pace)) {
    let date = |dice: &mut Dice, world: &World| {
        let at = around(dice, now, pace);
        Value::Date(engine::calendar::day_of(at, &world.zone))
    };
    let mut fresh: BTreeMap<Box<str>, Option<Value>> = BTreeMap::new();
    fresh.insert("since".into(), Some(date(dice, world)));
    fresh.insert("renewal".into(), Some(date(dice, world)));
    let met_at = Value::Time(around(dice, now, pace));
    fresh.insert("met_at".into(), Some(met_at));
    fresh.insert(
        "seats".into(),
        Some(Value::Number(whole(dice.between(-1, 12)))),
    );
    fresh.insert(
        "score".into(),
        Some(Value::Number(whole(dice.between(0, 40)))),
    );
    for (name, value) in fresh {
        let Some(value) = value.filter(|_| dice.chance(80)) else {
            continue;
        };
        let at = now - SignedDuration::from_hours(dice.between(0, 200));
        let of = if matches!(&*name, "renewal" | "seats") {
            &mut world.contract
        } else {
            &mut world.account
        };
        of.insert(name, (value, at));
    }
}

/// Instants at which the slow watcher looks.
fn instants(
    world: &World,
    raw: &[Raw],
    first: Date,
    (days, pace): (i64, Pace),
) -> BTreeSet<Timestamp> {
    let mut all = BTreeSet::new();
    let nano = SignedDuration::from_nanos(1);
    for ahead in 0..days {
        let start = start_of(first + Span::new().days(ahead), &world.zone);
        all.insert(start);
        if ahead % 9 == 0 {
            all.extend([start - nano, start + SignedDuration::from_hours(12)]);
        }
        let minutes = match pace {
            Pace::Days => 0..0,
            Pace::Hours => 0..24,
            Pace::Minutes => 0..1_440,
        };
        let step = if pace == Pace::Hours { 60 } else { 1 };
        all.extend(minutes.map(|minute| start + SignedDuration::from_mins(minute * step)));
    }
    let begin = start_of(first, &world.zone);
    let end = start_of(first + Span::new().days(days), &world.zone);
    for turn in world
        .zone
        .following(begin)
        .take_while(|turn| turn.timestamp() < end)
    {
        let turn = turn.timestamp();
        for minutes in [-60, -30, -1, 0, 1, 30, 60] {
            all.insert(turn + SignedDuration::from_mins(minutes));
            all.insert(turn + SignedDuration::from_mins(minutes) - nano);
        }
    }
    let sides = world
        .program
        .health
        .iter()
        .flat_map(|health| [&health.outcome, &health.experience]);
    let measures = sides.flat_map(|side| &side.measures);
    for after in measures.filter_map(|measure| measure.stale_after) {
        let told = world
            .account
            .values()
            .chain(world.contract.values())
            .map(|(_, at)| *at);
        for at in told.chain(raw.iter().map(|raw| raw.at)) {
            all.extend(add(&world.program.calendar, at, after, &world.zone));
        }
    }
    all.retain(|at| begin < *at && *at < end);
    all
}

/// A world by chance: its dice, how fast it goes, and from when on for how many days it is followed.
fn world(seed: u64) -> (World, Dice, Pace, (Date, i64)) {
    let mut dice = Dice::new(seed);
    let zone = *dice.pick(&ZONES);
    let (pace, days) = *dice.pick(&[
        (Pace::Days, 300),
        (Pace::Days, 150),
        (Pace::Days, 150),
        (Pace::Days, 60),
        (Pace::Days, 60),
        (Pace::Hours, 12),
        (Pace::Minutes, 1),
    ]);
    let mut world = World::new(program(&mut dice, pace), zone);
    world.began_in_history = dice.chance(20);
    let mut first = Date::constant(2014, 1, 1) + Span::new().days(dice.between(0, 4_500));
    if let Some(turn) = world
        .zone
        .following(start_of(first, &world.zone))
        .next()
        .filter(|_| pace != Pace::Days && dice.chance(50))
    {
        // The clocks are turned on the second day.
        let day = engine::calendar::day_of(turn.timestamp(), &world.zone);
        first = day.yesterday().expect("a day of this age");
    }
    if dice.chance(75) {
        world.at_hand = Some(AtHand {
            stretches: Stretches::from(start_of(first, &world.zone), &world.zone),
            memo: Memo::default(),
        });
    }
    (world, dice, pace, (first, days))
}

/// One account over its days.
struct Case<'s> {
    seed: u64,
    sum: &'s mut Sum,
    world: World,
    dice: Dice,
    pace: Pace,
    first: Date,
    days: i64,
    end: Timestamp,
    watcher: Watcher,
    /// When fields are told, or the account moves.
    patches: BTreeSet<Timestamp>,
    raw: std::iter::Peekable<std::vec::IntoIter<Raw>>,
    /// When conditions are looked at though nobody wakes.
    checks: BTreeSet<Timestamp>,
    sleepers: Vec<Sleeper>,
    health_wake: Option<Timestamp>,
    known_parts: (usize, Decimal),
}

fn case(seed: u64, sum: &mut Sum) {
    let mut case = Case::begin(seed, sum);
    let mut looks = 0;
    while let Some(now) = case.due() {
        looks += 1;
        assert!(looks < 6_000, "seed {seed}: a storm of wake-ups at {now}");
        case.look(now);
    }
}

impl<'s> Case<'s> {
    fn begin(seed: u64, sum: &'s mut Sum) -> Self {
        let (mut world, mut dice, pace, (first, days)) = world(seed);
        let begin = start_of(first, &world.zone);
        fields(&mut world, &mut dice, (begin, pace));
        let raw = history(&mut dice, first, &world.zone, days);
        let mut patches: BTreeSet<Timestamp> = BTreeSet::new();
        for _ in 0..dice.between(0, 3) {
            patches.insert(begin + SignedDuration::from_mins(dice.between(1, days * 1_440 - 1)));
        }
        let checks = instants(&world, &raw, first, (days, pace));
        let mut watcher = Watcher::default();
        watcher.step(&world, begin);
        let end = start_of(first + Span::new().days(days), &world.zone);
        world.decide_at(begin);
        watch_band(&mut world, begin);
        let sleepers = TESTED
            .map(|tested| Sleeper::look(&world, tested, begin))
            .collect();
        let health_wake = health::next_change(&world.scene(begin));
        let known_parts = Slow::new(&world, begin, watcher.shown).known_parts();
        Self {
            seed,
            sum,
            world,
            dice,
            pace,
            first,
            days,
            end,
            watcher,
            patches,
            raw: raw.into_iter().peekable(),
            checks,
            sleepers,
            health_wake,
            known_parts,
        }
    }

    /// The next instant at which anything is looked at.
    fn due(&mut self) -> Option<Timestamp> {
        let due = [
            self.checks.first().copied(),
            self.raw.peek().map(|raw| raw.arrived_at),
            self.patches.first().copied(),
            self.sleepers.iter().filter_map(|one| one.wake).min(),
            self.health_wake,
        ];
        due.into_iter().flatten().min().filter(|at| *at < self.end)
    }

    fn look(&mut self, now: Timestamp) {
        self.checks.remove(&now);
        self.world.decide_at(now);
        let mut is_told = self.patch(now);
        is_told |= self.fold(now);
        if is_told {
            self.world.forget();
        }
        self.watcher.step(&self.world, now);
        let (is_moved, is_followed) = self.band(now, is_told);
        let slow = Slow::new(&self.world, now, self.watcher.shown);
        let parts = slow.known_parts();
        if !is_told && parts.0 > self.known_parts.0 {
            self.sum.sometimes.note("a window becomes covered");
        }
        if !is_told && parts.1 < self.known_parts.1 {
            self.sum.sometimes.note("a measure becomes stale");
        }
        self.known_parts = parts;
        for sleeper in &mut self.sleepers {
            let look = Look {
                is_moved,
                is_told,
                is_followed,
                now,
                seed: self.seed,
            };
            self.sum.looked(sleeper, &slow, &look);
        }
    }

    /// Tells fields, or moves the account. Gives whether anything was told.
    fn patch(&mut self, now: Timestamp) -> bool {
        if !self.patches.remove(&now) {
            return false;
        }
        // What was due in the old zone is due before it changes.
        self.watcher.step(&self.world, now);
        if self.dice.chance(40) {
            self.sum.sometimes.note("the account moves to another zone");
            self.world.zone = zone(self.dice.pick::<&str>(&ZONES)).expect("a zone that exists");
            self.world.decide_at(now);
        } else {
            fields(&mut self.world, &mut self.dice, (now, self.pace));
        }
        let more = instants(&self.world, &[], self.first, (self.days, self.pace));
        self.checks.extend(more.into_iter().filter(|at| *at > now));
        true
    }

    /// Takes in the events of this instant. Gives whether one changed anything.
    fn fold(&mut self, now: Timestamp) -> bool {
        let mut is_told = false;
        while self.raw.peek().is_some_and(|raw| raw.arrived_at == now) {
            let is_news = self.world.fold(self.raw.next().expect("it was peeked at"));
            if !is_news {
                self.sum.sometimes.note("a fact changes nothing");
            }
            is_told |= is_news;
        }
        is_told
    }

    /// Follows the band of health where it may move. Gives whether anything moved, and whether who reads it is woken.
    fn band(&mut self, now: Timestamp, is_told: bool) -> (bool, bool) {
        let (mut is_moved, mut is_followed) = (is_told, is_told);
        if is_told || self.health_wake == Some(now) {
            let band_moved = watch_band(&mut self.world, now);
            is_moved |= band_moved;
            self.sum.health_wakes += u64::from(!is_told);
            self.sum.health_idle += u64::from(!is_told && !band_moved);
            if band_moved && !is_told {
                self.sum.sometimes.note("time moves the band");
            }
            self.health_wake = health::next_change(&self.world.scene(now));
            let seed = self.seed;
            assert!(
                self.health_wake.is_none_or(|wake| wake > now),
                "seed {seed}"
            );
            // Who reads the band is woken whenever it may move.
            is_followed = true;
        }
        assert_eq!(
            self.world.health.band, self.watcher.shown,
            "the band, seed {}, {:?}, at {now}",
            self.seed, self.world.zone
        );
        (is_moved, is_followed)
    }
}

/// One look at all conditions.
struct Look {
    is_moved: bool,
    is_told: bool,
    is_followed: bool,
    now: Timestamp,
    seed: u64,
}

impl Sum {
    /// Looks at one condition; wakes it where it is time.
    fn looked(&mut self, sleeper: &mut Sleeper, slow: &Slow<'_>, look: &Look) {
        let Look {
            is_moved,
            is_told,
            is_followed,
            now,
            seed,
        } = *look;
        let condition = &slow.world.program.segments[sleeper.tested].condition;
        let truth = slow.truth(condition);
        let before = sleeper.held;
        let is_woken = sleeper.wake == Some(now);
        if is_moved || is_woken {
            *sleeper = Sleeper::look(slow.world, sleeper.tested, now);
        }
        self.checks += 1;
        self.known += u64::from(truth.is_some());
        let is_own = is_woken && !is_moved && !is_followed;
        let is_idle = is_own && before == sleeper.held;
        self.wakes += u64::from(is_own);
        self.idle += u64::from(is_idle);
        if is_idle {
            self.sometimes.idle(&slow.world.program, condition);
        }
        if !is_told && before != truth {
            self.flips += 1;
            self.sometimes.flip(slow, condition, (before, truth));
        }
        assert_eq!(
            sleeper.held, truth,
            "seed {seed}, condition {}, at {now} (before {before:?}, woken {is_woken}, moved {is_moved}): {condition:?}",
            sleeper.tested
        );
    }
}

/// How many worlds are looked at.
const SEEDS: u64 = 200;

#[test]
fn no_flip_is_missed_and_no_value_is_wrong() {
    let mut sum = Sum::default();
    for seed in 0..SEEDS {
        case(seed, &mut sum);
    }
    println!(
        "{} flips by time alone, {} wake-ups, {} % of them changed nothing",
        sum.flips,
        sum.wakes,
        sum.idle * 100 / sum.wakes.max(1)
    );
    println!("{sum:#?}");
    sum.sometimes.check();
    assert!(
        sum.idle * 100 < sum.wakes * IDLE_MAX,
        "most wake-ups must change something: {sum:?}"
    );
}
