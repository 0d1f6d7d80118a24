//! `GET /healthz`: whether every shard can make progress, and if not, why.

use super::Door;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::time::Duration;
use store::{Lease, ShardState, Store};
use tokio::time::timeout;
use utoipa::ToSchema;

/// How long the store may take to answer before it counts as not answering.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a shard may be without an owner before that counts as failing: a takeover takes less.
const ORPHANED_MAX: SignedDuration = SignedDuration::from_secs(15);

/// How the house is doing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok` or `failing`.
    status: &'static str,
    /// Why it fails.
    reasons: Vec<String>,
    /// What people should see, though it works.
    notes: Vec<String>,
}

/// Tells whether every shard can make progress.
#[utoipa::path(
    get,
    path = "/healthz",
    responses(
        (status = 200, description = "Every shard can make progress", body = Health),
        (status = 503, description = "One can't; the reasons say why", body = Health)
    )
)]
pub(crate) async fn get_health(State(door): State<Door>) -> (StatusCode, Json<Health>) {
    let shared = &door.shared;
    let mut reasons = shared.status.troubles();
    let mut notes = shared.status.notes();
    notes.extend(shared.means.notes(shared.clock.now()));
    let asked = async {
        let leases = shared.store.leases().await?;
        let states = shared.store.shard_states().await?;
        Ok::<_, store::Failure>((leases, states))
    };
    match timeout(ANSWER_TIME_MAX, asked).await {
        Err(_) => reasons.push("the store does not answer".into()),
        Ok(Err(failure)) => reasons.push(format!("the store fails: {failure}")),
        Ok(Ok((leases, states))) => {
            reasons.extend(orphans(&leases, shared.clock.now()));
            notes.extend(undecided(&states));
            notes.extend(taking_effect(&shared.store, &states).await);
            notes.extend(paused(&shared.store).await);
        }
    }
    let (code, status) = if reasons.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "failing")
    };
    (
        code,
        Json(Health {
            status,
            reasons,
            notes,
        }),
    )
}

/// Shards that nobody works on. A lease that was given back has no end, and counts when nobody took it either.
fn orphans(leases: &[Lease], now: Timestamp) -> Vec<String> {
    leases
        .iter()
        .filter(|lease| now.duration_since(lease.lease_until) > ORPHANED_MAX)
        .map(|lease| format!("nobody may {} shard {}", lease.role.as_str(), lease.shard))
        .collect()
}

/// How far a new text is: accounts that the one before decided last.
async fn taking_effect(store: &Store, states: &[ShardState]) -> Option<String> {
    let mut left = 0;
    let mut shards = 0;
    for state in states {
        let Some(revision) = state
            .mark
            .revision
            .filter(|now| state.rebased != Some(*now))
        else {
            continue;
        };
        shards += 1;
        left += store.stale_count(state.shard, revision).await.ok()?;
    }
    (shards > 0).then(|| format!("a new text is taking effect: {left} accounts in {shards} shards are still to be brought over"))
}

/// What a person holds back.
async fn paused(store: &Store) -> Vec<String> {
    let switches = store.switches().await.unwrap_or_default();
    let off = switches.into_iter().filter(|switch| !switch.is_on);
    off.map(|switch| {
        format!(
            "{} is paused since {}: {}",
            switch.name, switch.at, switch.note
        )
    })
    .collect()
}

fn undecided(states: &[ShardState]) -> Option<String> {
    let is_idle = states.iter().all(|state| state.mark.revision.is_none());
    is_idle.then(|| "no workspace is applied: facts are accepted and not decided".to_owned())
}
