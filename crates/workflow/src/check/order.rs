//! Order: every definition after all it reads; circles are E505.

use crate::program::Definition;
use std::collections::{BTreeMap, BTreeSet};

/// What each definition reads itself.
pub(crate) type Reads = BTreeMap<Definition, Vec<Definition>>;

/// Every definition after all it reads, and the circles: each once, from its smallest member.
pub(crate) fn order(reads: &Reads) -> (Vec<Definition>, Vec<Vec<Definition>>) {
    let mut walk = Walk {
        reads,
        done: BTreeSet::new(),
        order: Vec::new(),
        circles: Vec::new(),
    };
    for start in reads.keys() {
        walk.from(*start);
    }
    (walk.order, walk.circles)
}

struct Walk<'r> {
    reads: &'r Reads,
    done: BTreeSet<Definition>,
    order: Vec<Definition>,
    circles: Vec<Vec<Definition>>,
}

impl Walk<'_> {
    /// Depth first, with a stack of its own: definitions can form long chains.
    fn from(&mut self, start: Definition) {
        if self.done.contains(&start) {
            return;
        }
        let mut path: Vec<(Definition, usize)> = vec![(start, 0)];
        let mut on_path = BTreeSet::from([start]);
        while let Some((at, next)) = path.pop() {
            let reads = self.reads.get(&at).map_or(&[][..], Vec::as_slice);
            let Some(read) = reads.get(next).copied() else {
                on_path.remove(&at);
                self.done.insert(at);
                self.order.push(at);
                continue;
            };
            path.push((at, next + 1));
            if on_path.contains(&read) {
                let begin = path.iter().position(|(on, _)| *on == read).unwrap_or(0);
                self.circles
                    .push(path[begin..].iter().map(|(on, _)| *on).collect());
            } else if !self.done.contains(&read) {
                on_path.insert(read);
                path.push((read, 0));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Definition::Metric;

    fn check(edges: &[(usize, &[usize])]) -> (Vec<Definition>, usize) {
        let reads = edges
            .iter()
            .map(|(from, to)| (Metric(*from), to.iter().map(|to| Metric(*to)).collect()));
        let (order, circles) = order(&reads.collect());
        (order, circles.len())
    }

    #[test]
    fn what_is_read_comes_first() {
        let (order, circles) = check(&[(0, &[1, 2]), (1, &[2]), (2, &[])]);
        assert_eq!((order, circles), (vec![Metric(2), Metric(1), Metric(0)], 0));
    }

    #[test]
    fn a_circle_is_found_once() {
        assert_eq!(check(&[(0, &[1]), (1, &[2]), (2, &[0]), (3, &[0])]).1, 1);
        assert_eq!(check(&[(0, &[0])]).1, 1);
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let reads = (0..100_000)
            .map(|at| (Metric(at), vec![Metric(at + 1)]))
            .collect();
        let (order, circles) = order(&reads);
        assert_eq!((order.len(), circles.len()), (100_001, 0));
    }
}
