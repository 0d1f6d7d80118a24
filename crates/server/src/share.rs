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

/// Makes a plan for `me` among `owners`. Each has nearly the same part; a newcomer gets what others have too much, and
/// nothing else moves.
pub(crate) fn plan(leases: &[Lease], owners: &[Box<str>], me: &str, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    for role in Role::ALL {
        let able: BTreeSet<&str> = owners
            .iter()
            .map(|owner| &**owner)
            .filter(|owner| may(owner, role))
            .collect();
        if !able.contains(me) {
            continue;
        }
        let of_role: Vec<&Lease> = leases.iter().filter(|lease| lease.role == role).collect();
        let rank = able
            .iter()
            .position(|owner| *owner == me)
            .unwrap_or_default();
        let quota = of_role.len() / able.len() + usize::from(rank < of_role.len() % able.len());
        let mine: Vec<u32> = of_role
            .iter()
            .filter(|lease| lease.owner.as_deref() == Some(me))
            .map(|lease| lease.shard)
            .collect();
        if mine.len() > quota {
            plan.give
                .extend(mine[quota..].iter().map(|shard| (*shard, role)));
            continue;
        }
        plan.is_short |= mine.len() < quota;
        let free = of_role.iter().filter(|lease| {
            lease.owner.as_deref() != Some(me)
                && (lease.owner.is_none() || lease.lease_until <= now)
        });
        plan.take.extend(
            free.take(quota - mine.len())
                .map(|lease| (lease.shard, role)),
        );
    }
    plan
}

/// An owner's name ends in the roles it takes: `…:decide+send`.
fn may(owner: &str, role: Role) -> bool {
    owner
        .rsplit_once(':')
        .is_some_and(|(_, roles)| roles.split('+').any(|word| word == role.as_str()))
}

/// The name of one start of one process, for the roles it takes.
pub(crate) fn owner_name(draw: u64, roles: &[Role]) -> Box<str> {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    format!("{}-{draw:016x}:{}", std::process::id(), words.join("+")).into()
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
}
