//! Bells: who appends or commits in this process rings, so that nobody has to poll to be quick.
//!
//! They are only a hint. What other processes do is found by asking the store.

use std::sync::Arc;
use store::Role;
use tokio::sync::Notify;

/// One bell for each shard and role.
#[derive(Clone, Debug)]
pub(crate) struct Bells(Arc<[[Notify; 2]]>);

impl Bells {
    pub(crate) fn new(shards: u32) -> Self {
        Self(
            (0..shards)
                .map(|_| [Notify::new(), Notify::new()])
                .collect(),
        )
    }

    /// Wakes who works on a shard, or lets them look again at once if they are busy.
    pub(crate) fn ring(&self, shard: u32, role: Role) {
        if let Some(bell) = self.bell(shard, role) {
            bell.notify_one();
        }
    }

    pub(crate) fn ring_all(&self) {
        for bells in self.0.iter() {
            for bell in bells {
                bell.notify_one();
            }
        }
    }

    /// Returns when the bell rings.
    pub(crate) async fn wait(&self, shard: u32, role: Role) {
        match self.bell(shard, role) {
            Some(bell) => bell.notified().await,
            None => std::future::pending().await,
        }
    }

    fn bell(&self, shard: u32, role: Role) -> Option<&Notify> {
        let bells = self.0.get(usize::try_from(shard).ok()?)?;
        Some(match role {
            Role::Decide => &bells[0],
            Role::Send => &bells[1],
        })
    }
}
