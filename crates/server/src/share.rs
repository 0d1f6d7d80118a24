//! Sharing out: which leases a process should have, by what all see in the table. Pure.

use jiff::Timestamp;
use std::collections::BTreeSet;
use store::{Lease, Role};

/// What to take and what to give back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Free or expired, to be tried for.
    pub(crate) take: Vec<(u32, Role)>,
    /// Held, and more than our part.
    pub(crate) give: Vec<(u32, Role)>,
    /// Whether we hold less than our part: what others give back should be found soon.
    pub(crate) is_short: bool,
}

/// The word in the names of those who read sources.
const SOURCES: &str = "sources";

/// Makes a plan for `me` among `owners`. Each has nearly the same part; a newcomer gets what others have too much, and
/// nothing else moves.
pub(crate) fn plan(leases: &[Lease], owners: &[Box<str>], me: &str, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    for role in Role::ALL {
        let of_role = leases.iter().filter(|lease| lease.role == role);
        let held = of_role.map(|lease| Held {
            of: lease.shard,
            owner: lease.owner.as_deref(),
            is_over: lease.lease_until <= now,
        });
        let part = part(&held.collect::<Vec<_>>(), (owners, role.as_str()), me);
        let of_role = |shards: Vec<u32>| shards.into_iter().map(move |shard| (shard, role));
        plan.take.extend(of_role(part.take));
        plan.give.extend(of_role(part.give));
        plan.is_short |= part.is_short;
    }
    plan
}

/// The sources that `me` should take, and those that it should give back.
pub(crate) fn plan_sources<'n>(
    sources: &[Held<'_, &'n str>],
    owners: &[Box<str>],
    me: &str,
) -> (Vec<&'n str>, Vec<&'n str>) {
    let part = part(sources, (owners, SOURCES), me);
    (part.take, part.give)
}

/// Something that one owner may have at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held<'o, T> {
    pub(crate) of: T,
    pub(crate) owner: Option<&'o str>,
    /// Whether its lease has run out.
    pub(crate) is_over: bool,
}

/// What one owner is to have of something.
struct Part<T> {
    take: Vec<T>,
    give: Vec<T>,
    is_short: bool,
}

/// The part of `me` among the owners whose names have a word.
fn part<T: Copy>(all: &[Held<'_, T>], (owners, word): (&[Box<str>], &str), me: &str) -> Part<T> {
    let mut part = Part {
        take: Vec::new(),
        give: Vec::new(),
        is_short: false,
    };
    let owners = owners.iter().map(|owner| &**owner);
    let able: BTreeSet<&str> = owners.filter(|owner| may(owner, word)).collect();
    let Some(rank) = able.iter().position(|owner| *owner == me) else {
        return part;
    };
    let quota = all.len() / able.len() + usize::from(rank < all.len() % able.len());
    let mine = all.iter().filter(|held| held.owner == Some(me));
    let mine: Vec<T> = mine.map(|held| held.of).collect();
    if mine.len() > quota {
        part.give = mine[quota..].to_vec();
        return part;
    }
    part.is_short = mine.len() < quota;
    let free = all
        .iter()
        .filter(|held| held.owner != Some(me) && (held.owner.is_none() || held.is_over));
    part.take = free.take(quota - mine.len()).map(|held| held.of).collect();
    part
}

/// An owner's name ends in the roles it takes: `…:decide+send`.
fn may(owner: &str, role: &str) -> bool {
    owner
        .rsplit_once(':')
        .is_some_and(|(_, roles)| roles.split('+').any(|word| word == role))
}

/// The name of one start of one process, for the roles it takes.
pub(crate) fn owner_name(draw: u64, roles: &[Role]) -> Box<str> {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    format!("{}-{draw:016x}:{}", std::process::id(), words.join("+")).into()
}

/// The name of one start of one process, for the sources that it reads.
pub(crate) fn reader_name(draw: u64) -> Box<str> {
    format!("{}-{draw:016x}:{SOURCES}", std::process::id()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "1-a:decide+send";
    const B: &str = "2-b:decide+send";
    const C: &str = "3-c:send";

    fn lease(shard: u32, role: Role, owner: Option<&str>, until: i64) -> Lease {
        let lease_until = Timestamp::from_second(until).expect("in range");
        Lease {
            shard,
            role,
            owner: owner.map(Into::into),
            epoch: 1,
            lease_until,
        }
    }

    fn check(held: &[(Option<&str>, i64)], owners: &[&str], me: &str) -> (Vec<u32>, Vec<u32>) {
        let leases: Vec<Lease> = (0..)
            .zip(held)
            .map(|(shard, (owner, until))| lease(shard, Role::Decide, *owner, *until))
            .collect();
        let owners: Vec<Box<str>> = owners.iter().map(|owner| (*owner).into()).collect();
        let plan = plan(
            &leases,
            &owners,
            me,
            Timestamp::from_second(100).expect("in range"),
        );
        let shards = |pairs: &[(u32, Role)]| pairs.iter().map(|(shard, _)| *shard).collect();
        (shards(&plan.take), shards(&plan.give))
    }

    #[test]
    fn leases_are_shared_out_evenly() {
        let free = (None, 0);
        let a = (Some(A), 200);
        let dead = (Some(B), 100);
        for (held, owners, me, take, give) in [
            (vec![free; 4], vec![A], A, vec![0, 1, 2, 3], vec![]),
            (vec![free; 4], vec![A, B], A, vec![0, 1], vec![]),
            (vec![free; 5], vec![A, B], A, vec![0, 1, 2], vec![]),
            (vec![free; 5], vec![A, B], B, vec![0, 1], vec![]),
            (vec![a; 4], vec![A, B], A, vec![], vec![2, 3]),
            (vec![a; 4], vec![A, B], B, vec![], vec![]),
            (vec![a, a, dead, dead], vec![A], A, vec![2, 3], vec![]),
            (vec![a, a, dead, dead], vec![A, B], A, vec![], vec![]),
            (vec![a, a, free, free], vec![A, C], A, vec![2, 3], vec![]),
            (vec![free; 4], vec![A, C], C, vec![], vec![]),
        ] {
            assert_eq!(
                check(&held, &owners, me),
                (take, give),
                "{held:?} {owners:?} {me}"
            );
        }
    }

    #[test]
    fn sources_are_shared_out_among_those_who_read_them() {
        let (a, b) = ("1-a:sources", "2-b:sources");
        let owners: Vec<Box<str>> = [a, b, A, C].map(Into::into).into();
        let held =
            |of: &'static str, owner: Option<&'static str>, is_over| Held { of, owner, is_over };
        let free = [held("x", None, false), held("y", None, false)];
        assert_eq!(plan_sources(&free, &owners, a), (vec!["x"], vec![]));
        assert_eq!(plan_sources(&free, &owners, A), (vec![], vec![]));
        let all = [held("x", Some(a), false), held("y", Some(a), false)];
        assert_eq!(plan_sources(&all, &owners, a), (vec![], vec!["y"]));
        assert_eq!(plan_sources(&all, &owners, b), (vec![], vec![]));
        let dead = [
            held("x", Some(a), false),
            held("y", Some("0:sources"), true),
        ];
        assert_eq!(plan_sources(&dead, &owners, b), (vec!["y"], vec![]));
    }
}
