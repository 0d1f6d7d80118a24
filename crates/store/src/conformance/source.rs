//! Sources.

use super::{Ground, Proof, at, bid};
use crate::{
    AppendError, Incoming, NewFact, NewParked, NewSource, SourceError, SourcePosition, SourceStep,
    Store,
};
use jiff::Timestamp;
use model::{ParkCode, Parked};

fn crm() -> NewSource {
    NewSource {
        name: "crm".into(),
        topic: "crm.accounts".into(),
        topic_id: "t-1".into(),
    }
}

fn position(partition: u32, next: u64) -> SourcePosition {
    SourcePosition {
        partition,
        next,
        mark: format!("{next}:mark").into(),
    }
}

/// A fact, and what can't be one, read between two places of partition 0.
fn step(epoch: u64, before: u64, next: u64) -> SourceStep {
    let json = format!("{{\"id\":\"{next}\"}}");
    let at = Timestamp::UNIX_EPOCH;
    SourceStep {
        name: "crm".into(),
        epoch,
        incoming: Incoming {
            facts: vec![NewFact {
                shard: 1,
                arrived_at: at,
                json: json.clone().into(),
            }],
            parked: vec![NewParked {
                at,
                place: None,
                account: None,
                parked: Parked {
                    code: ParkCode::BadData,
                    message: "no".into(),
                    field: None,
                },
                json: json.into(),
            }],
        },
        moves: vec![(before, position(0, next))],
    }
}

async fn counts(store: &Store) -> Result<(u64, u64, Vec<SourcePosition>), crate::Failure> {
    let rows = store.sources().await?;
    let positions = rows.into_iter().flat_map(|row| row.positions).collect();
    Ok((
        store.log_end(1).await?,
        store.parked_count().await?,
        positions,
    ))
}

pub(super) async fn what_a_source_became_and_how_far_it_is_are_one(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let row = store
        .take_source(&crm(), &bid("one", 0))
        .await?
        .ok_or("it was free")?;
    assert_eq!((row.epoch, row.positions.len()), (1, 0));
    store.step_source(step(1, 0, 4)).await?;
    store.step_source(step(1, 4, 9)).await?;
    assert_eq!(counts(&store).await?, (2, 2, vec![position(0, 9)]));
    // Told twice, and told of a shard that is not there: nothing is written.
    let again = store.step_source(step(1, 4, 9)).await;
    assert!(matches!(again, Err(SourceError::Moved)), "{again:?}");
    let mut wrong = step(1, 9, 12);
    wrong.incoming.facts[0].shard = 7;
    let wrong = store.step_source(wrong).await;
    assert!(
        matches!(wrong, Err(SourceError::Append(AppendError::NoShard(7)))),
        "{wrong:?}"
    );
    assert_eq!(counts(&store).await?, (2, 2, vec![position(0, 9)]));
    Ok(())
}

pub(super) async fn a_source_is_read_by_one_and_a_zombie_writes_nothing(ground: &Ground) -> Proof {
    let (one, two) = (ground.open().await?, ground.open().await?);
    let first = one
        .take_source(&crm(), &bid("one", 0))
        .await?
        .ok_or("it was free")?;
    assert_eq!(two.take_source(&crm(), &bid("two", 5)).await?, None);
    let kept = one
        .take_source(&crm(), &bid("one", 3))
        .await?
        .ok_or("it is its own")?;
    assert_eq!(kept.epoch, first.epoch);
    let second = two
        .take_source(&crm(), &bid("two", 9))
        .await?
        .ok_or("it ran out")?;
    assert!(second.epoch > first.epoch);
    let late = one.step_source(step(first.epoch, 0, 4)).await;
    assert!(matches!(late, Err(SourceError::Fenced)), "{late:?}");
    let late = one.halt_source("crm", first.epoch, Some("no")).await;
    assert!(matches!(late, Err(SourceError::Fenced)), "{late:?}");
    assert_eq!(counts(&one).await?, (0, 0, Vec::new()));
    assert!(!one.release_source("crm", "one").await?);
    assert!(two.release_source("crm", "two").await?);
    let third = one
        .take_source(&crm(), &bid("one", 9))
        .await?
        .ok_or("it was given back")?;
    assert!(third.epoch > second.epoch);
    Ok(())
}

pub(super) async fn a_source_that_a_person_sets_anew_begins_there(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let row = store
        .take_source(&crm(), &bid("one", 0))
        .await?
        .ok_or("it was free")?;
    store.step_source(step(row.epoch, 0, 4)).await?;
    store
        .halt_source("crm", row.epoch, Some("another topic"))
        .await?;
    store.copied_source("crm", row.epoch, at(7)).await?;
    assert_eq!(store.sources().await?.remove(0).copied_until, at(7));
    let halted = store.sources().await?.remove(0).halted;
    assert_eq!(halted.as_deref(), Some("another topic"));
    let mut anew = crm();
    anew.topic_id = "t-2".into();
    assert!(
        store
            .set_source(&anew, vec![position(0, 1), position(1, 2)])
            .await?
    );
    let late = store.copied_source("crm", row.epoch, at(8)).await;
    assert!(matches!(late, Err(SourceError::Fenced)), "{late:?}");
    let copied = store.sources().await?.remove(0).copied_until;
    assert_eq!(copied, Timestamp::UNIX_EPOCH, "nothing of it is copied");
    let late = store.step_source(step(row.epoch, 4, 9)).await;
    assert!(matches!(late, Err(SourceError::Fenced)), "{late:?}");
    let row = store
        .take_source(&crm(), &bid("one", 1))
        .await?
        .ok_or("it is free")?;
    assert_eq!((row.halted, &*row.source.topic_id), (None, "t-2"));
    assert_eq!(row.positions, [position(0, 1), position(1, 2)]);
    let mut nobody = crm();
    nobody.name = "nobody".into();
    assert!(!store.set_source(&nobody, Vec::new()).await?);
    // Another topic under the name is another source.
    let mut other = crm();
    (other.topic, other.topic_id) = ("erp".into(), "t-3".into());
    let row = store
        .take_source(&other, &bid("one", 2))
        .await?
        .ok_or("it is its own")?;
    assert_eq!((&row.source, row.positions.len()), (&other, 0));
    Ok(())
}
