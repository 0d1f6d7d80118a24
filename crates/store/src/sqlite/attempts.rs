//! Attempts: the rows that say that hand-overs have begun, for many at once; and the last question before bytes leave.

use super::flight::{Answer, Flight, Part, Value, Values};
use super::gate::{self, Gate};
use super::rows::signed;
use super::{Session, Sqlite, grounds};
use crate::outbox::About;
use crate::share::{Beginning, Small};
use crate::{Claim, Failure};
use jiff::Timestamp;

/// The negative control: attempts are written whether or not the claim holds.
fn is_unchecked() -> bool {
    model::teeth::is_out("attempt")
}

/// Which of a list of claims stand: claimed with this id, under an epoch that is the lease's, not expired. What is read of
/// many comes as one list: the way of a row to its reader is longer than to its place in a list.
pub(crate) const STANDING: Part = Part::over(
    5,
    "WITH j (id, claim, epoch, now, place) AS ({list}) SELECT json_group_array(j.place) FROM j \
    CROSS JOIN delivery d ON d.id = j.id \
    CROSS JOIN lease l ON l.shard = d.shard AND l.role = 'send' \
    WHERE d.state = 'claimed' AND d.claim = j.claim AND d.claim_epoch = j.epoch \
    AND l.epoch = d.claim_epoch AND (d.expires_at IS NULL OR d.expires_at > j.now)",
);
/// Written again by the same claim a row stays as it is; a number that another claim used is refused.
pub(crate) const BEGIN: Part = Part::over(
    5,
    "WITH j (id, n, claim, epoch, at) AS ({list}) \
    INSERT INTO attempt (delivery, n, claim, epoch, started_at) \
    SELECT j.id, j.n, j.claim, j.epoch, j.at FROM j WHERE j.id IS NOT NULL \
    ON CONFLICT (delivery, n) DO UPDATE SET claim = claim \
    WHERE claim = excluded.claim AND epoch = excluded.epoch AND ended_at IS NULL",
);
/// Counts those of a list of attempts that are there as they were to be written.
pub(crate) const COUNT: Part = Part::over(
    4,
    "WITH j (id, n, claim, epoch) AS ({list}) UPDATE OR ROLLBACK delivery SET attempts = max(attempts, j.n) \
    FROM j CROSS JOIN attempt a ON a.delivery = j.id AND a.n = j.n \
    WHERE delivery.id = j.id AND a.claim = j.claim AND a.epoch = j.epoch AND a.ended_at IS NULL",
);
/// Which of them these are.
pub(crate) const BEGUN: Part = Part::over(
    4,
    "WITH j (id, n, claim, epoch) AS ({list}) SELECT json_group_array(a.delivery) \
    FROM j CROSS JOIN attempt a ON a.delivery = j.id AND a.n = j.n \
    WHERE a.claim = j.claim AND a.epoch = j.epoch AND a.ended_at IS NULL",
);

/// What bears on one claim.
static ASKING: Flight = Flight::new(&[gate::OFF, gate::STANDING, grounds::PROVEN, STANDING]);
static LOOKING: Flight = Flight::new(&[BEGUN]);

impl Sqlite {
    pub(crate) async fn attempt(
        &self,
        claim: &Claim,
        n: u32,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let claim = claim.clone();
        self.share(Small::Attempt(Beginning { claim, n, now }))
            .await
    }

    pub(crate) async fn may_send(&self, claim: &Claim, now: Timestamp) -> Result<bool, Failure> {
        let claim = claim.clone();
        self.read(move |session| {
            Box::pin(async move {
                let asked = Asked(vec![(&claim, now)]);
                let answers = ASKING.read(session, asked.values()).await?;
                Ok(asked.holding(&answers)? == [true])
            })
        })
        .await
    }
}

/// Claims of which is asked whether they still give the right to send, and when.
pub(crate) struct Asked<'c>(Vec<(&'c Claim, Timestamp)>);

impl<'c> Asked<'c> {
    pub(crate) fn of(attempts: &[(usize, &'c Beginning)]) -> Self {
        let asked = attempts.iter();
        Self(asked.map(|(_, one)| (&one.claim, one.now)).collect())
    }

    fn abouts(&self) -> Vec<(&'c About, Timestamp)> {
        let abouts = self.0.iter();
        abouts.map(|(claim, now)| (&*claim.about, *now)).collect()
    }

    /// As values of the statements that read what bears on them: switches, addresses, grounds, the claims themselves.
    pub(crate) fn values(&self) -> [Values<'c>; 4] {
        let addresses = self.0.iter().flat_map(|(claim, _)| &claim.about.addresses);
        let row = |(place, (claim, now)): (u32, &(&Claim, Timestamp))| -> [Value<'c>; 5] {
            let (row, epoch) = (claim.row.into(), signed(claim.epoch).into());
            [row, claim.id.into(), epoch, (*now).into(), place.into()]
        };
        [
            Values::new(),
            gate::asked(addresses),
            grounds::asked(&self.abouts()),
            (0..).zip(&self.0).flat_map(row).collect(),
        ]
    }

    /// Which of them do: they stand, the gate is open to each of their addresses, and there still is a ground to write.
    pub(crate) fn holding(
        &self,
        [off, stands, proven, standing]: &[Answer; 4],
    ) -> Result<Vec<bool>, Failure> {
        if is_unchecked() {
            return Ok(vec![true; self.0.len()]);
        }
        let abouts = self.abouts();
        let gate = Gate::of(&off.rows, &stands.rows)?;
        let grounds = grounds::are_there(&abouts, proven)?;
        let standing = standing.places()?;
        let mut holding = Vec::with_capacity(abouts.len());
        for (place, ((about, now), is_ground)) in (0..).zip(abouts.into_iter().zip(grounds)) {
            holding.push(is_ground && standing.contains(&place) && gate.is_open(about, now)?);
        }
        Ok(holding)
    }
}

/// The rows of attempts whose claims hold, as values of the statements that write and count them.
pub(crate) struct Begins<'a> {
    attempts: &'a [(usize, &'a Beginning)],
    holding: Vec<bool>,
}

impl<'a> Begins<'a> {
    pub(crate) fn new(attempts: &'a [(usize, &'a Beginning)], holding: Vec<bool>) -> Self {
        Self { attempts, holding }
    }

    pub(crate) fn values(&self) -> [Values<'static>; 2] {
        let (mut begins, mut counts) = (Values::new(), Values::new());
        for (_, Beginning { claim, n, now }) in self.held() {
            let (row, epoch) = (claim.row.into(), signed(claim.epoch).into());
            let row: [Value<'_>; 4] = [row, (*n).into(), claim.id.into(), epoch];
            counts.extend(row);
            begins.extend(row);
            begins.push((*now).into());
        }
        [begins, counts]
    }

    fn held(&self) -> impl Iterator<Item = &(usize, &'a Beginning)> {
        let all = self.attempts.iter().zip(&self.holding);
        all.filter(|(_, holds)| **holds).map(|(one, _)| one)
    }

    /// For each that was asked for: whether its row is written, of which so many were.
    pub(crate) async fn told(
        &self,
        session: &mut Session,
        changed: u64,
    ) -> Result<Vec<bool>, Failure> {
        let count = self.held().count();
        // Most of the time all are.
        if is_unchecked() || usize::try_from(changed).is_ok_and(|changed| changed == count) {
            return Ok(self.holding.clone());
        }
        let [_, counts] = self.values();
        let [begun] = LOOKING.read(session, [counts]).await?;
        let begun = begun.places()?;
        let told = self.attempts.iter().zip(&self.holding);
        let told = told.map(|((_, one), holds)| *holds && begun.contains(&one.claim.row));
        Ok(told.collect())
    }
}
