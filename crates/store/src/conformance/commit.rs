//! Commits.

use super::{Ground, Proof, START, at, bid, epoch, fact, facts, head, record};
use crate::{
    Backfill, Commit, CommitError, CsmWrite, HeadWrite, PartWrite, Parts, RevisionId, Role,
    ShardMark, WakeWrite, Wanted,
};
use model::AccountId;

fn part(account: &str, name: &str, bytes: Option<&[u8]>) -> PartWrite {
    PartWrite {
        account: AccountId::new(account),
        part: name.into(),
        bytes: bytes.map(<[u8]>::to_vec),
    }
}

fn wanted(account: &str, parts: Parts) -> Wanted {
    Wanted {
        account: AccountId::new(account),
        parts,
    }
}

pub(super) async fn a_commit_writes_all_of_it(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    store.append(facts(vec![fact(0, 1), fact(0, 2)])).await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let mut commit = Commit::new(0, epoch, START, at(9));
    commit.to_position = 2;
    commit.shard_now = Some(at(8));
    commit.heads = vec![head("acme", b"a"), head("beta", b"b")];
    commit.parts = vec![
        part("acme", "users", Some(b"u")),
        part("acme", "contacts", Some(b"c")),
    ];
    commit.wakes.push(WakeWrite {
        account: AccountId::new("beta"),
        due_at: Some(at(60)),
    });
    commit.journal = vec![record("acme", "renewal", 9), record("beta", "renewal", 9)];
    commit.woken.push(AccountId::new("beta"));
    let done = store.commit(commit).await?;
    assert_eq!((done.mark.position, done.mark.commits), (2, 1));
    let state = store.shard(0).await?;
    assert_eq!((state.mark, state.commit_epoch), (done.mark, epoch));
    assert_eq!((state.now, state.journal_end), (Some(at(8)), 2));
    assert!(store.is_decided().await?);
    let all = vec![
        wanted("acme", Parts::Named(vec!["users".into(), "gone".into()])),
        wanted("beta", Parts::All),
        wanted("nobody", Parts::All),
    ];
    let loaded = store.load(0, all).await?;
    assert_eq!(loaded.len(), 2);
    assert_eq!((&*loaded[0].head, loaded[0].due_at), (&b"a"[..], None));
    assert_eq!(loaded[0].parts, [("users".into(), b"u".to_vec())]);
    assert_eq!(loaded[1].due_at, Some(at(60)));
    let acme = store.load(0, vec![wanted("acme", Parts::All)]).await?;
    assert_eq!(acme[0].parts.len(), 2);
    let batches = store.batches(0, 0, 10).await?;
    assert_eq!((batches[0].commits, batches[0].to_position), (1, 2));
    assert_eq!((batches[0].now, batches[0].woken.len()), (at(9), 1));
    Ok(())
}

pub(super) async fn a_commit_under_another_epoch_is_refused(ground: &Ground) -> Proof {
    let (one, two) = (ground.open().await?, ground.open().await?);
    let old = epoch(&one, Role::Decide, &bid("one", 0)).await?;
    let new = epoch(&two, Role::Decide, &bid("two", 10)).await?;
    let zombie = one.commit(Commit::new(0, old, START, at(11))).await;
    assert!(matches!(zombie, Err(CommitError::Fenced { shard: 0, epoch }) if epoch == new));
    let done = two.commit(Commit::new(0, new, START, at(11))).await?;
    assert_eq!(done.mark.commits, 1);
    Ok(())
}

pub(super) async fn a_commit_from_another_mark_is_refused(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let revision = store.put_revision(b"text".to_vec(), at(0)).await?;
    store.activate(revision, at(0), false).await?;
    let right = ShardMark {
        revision: Some(revision),
        ..START
    };
    for wrong in [
        ShardMark {
            position: 1,
            ..right
        },
        ShardMark {
            commits: 1,
            ..right
        },
        START,
        ShardMark {
            revision: Some(RevisionId(99)),
            ..right
        },
    ] {
        let refused = store.commit(Commit::new(0, epoch, wrong, at(1))).await;
        assert!(
            matches!(refused, Err(CommitError::Moved { mark, .. }) if mark == right),
            "{wrong:?}"
        );
    }
    let done = store.commit(Commit::new(0, epoch, right, at(1))).await?;
    assert_eq!(done.mark.revision, Some(revision));
    Ok(())
}

pub(super) async fn a_refused_commit_changes_nothing(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let mut commit = Commit::new(0, 7, START, at(1));
    commit.heads.push(head("acme", b"a"));
    commit.journal.push(record("acme", "renewal", 1));
    assert!(store.commit(commit).await.is_err());
    let loaded = store.load(0, vec![wanted("acme", Parts::None)]).await?;
    assert!(loaded.is_empty());
    assert_eq!(store.shard(0).await?.mark, START);
    assert_eq!(store.verify_journal(0).await?.end, 0);
    Ok(())
}

pub(super) async fn an_account_without_a_head_is_refused(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let mut lone = Commit::new(0, epoch, START, at(1));
    lone.parts.push(part("acme", "users", Some(b"u")));
    let mut sleepless = Commit::new(0, epoch, START, at(1));
    sleepless.wakes.push(WakeWrite {
        account: AccountId::new("acme"),
        due_at: Some(at(2)),
    });
    for commit in [lone.clone(), sleepless] {
        let refused = store.commit(commit).await;
        assert!(matches!(refused, Err(CommitError::NoHead(account)) if account.as_str() == "acme"));
    }
    lone.heads.push(head("acme", b"a"));
    store.commit(lone).await?;
    Ok(())
}

pub(super) async fn parts_and_csms_can_be_taken_away(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let csm = |bytes: Option<&[u8]>| CsmWrite {
        csm: "c7".into(),
        bytes: bytes.map(<[u8]>::to_vec),
    };
    let mut commit = Commit::new(0, epoch, START, at(1));
    commit.heads.push(head("acme", b"a"));
    commit.parts.push(part("acme", "users", Some(b"u")));
    commit.csms.push(csm(Some(b"one")));
    let done = store.commit(commit).await?;
    let mut commit = Commit::new(0, epoch, done.mark, at(2));
    commit.csms.push(csm(Some(b"two")));
    let done = store.commit(commit).await?;
    assert_eq!(store.csms(0).await?[0].bytes, b"two");
    assert!(store.csms(1).await?.is_empty());
    let mut commit = Commit::new(0, epoch, done.mark, at(3));
    commit.parts.push(part("acme", "users", None));
    commit.csms.push(csm(None));
    store.commit(commit).await?;
    let loaded = store.load(0, vec![wanted("acme", Parts::All)]).await?;
    assert!(loaded[0].parts.is_empty());
    assert!(store.csms(0).await?.is_empty());
    Ok(())
}

pub(super) async fn a_text_takes_effect_in_every_shard_at_once(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    assert_eq!(store.applied().await?, None);
    assert_eq!(store.activate(RevisionId(9), at(0), false).await?, None);
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    store.append(facts(vec![fact(0, 1)])).await?;
    let mut commit = Commit::new(0, epoch, START, at(1));
    commit.to_position = 1;
    store.commit(commit).await?;
    store.append(facts(vec![fact(0, 2), fact(1, 3)])).await?;
    let id = store.put_revision(b"text".to_vec(), at(2)).await?;
    let ends = Some(vec![2, 1]);
    assert_eq!(
        store.activate(id, at(3), false).await?,
        ends,
        "the first one: the log's ends"
    );
    assert_eq!(
        store.activate(id, at(3), false).await?,
        ends,
        "again: nothing changes"
    );
    for state in store.shard_states().await? {
        assert_eq!(state.mark.revision, Some(id));
    }
    let applied = store.applied().await?.ok_or("it was activated")?;
    assert_eq!(
        (&*applied.bytes, applied.applied_at),
        (&b"text"[..], Some(at(3)))
    );
    Ok(())
}

pub(super) async fn a_first_text_takes_what_a_log_elsewhere_holds_as_history(
    ground: &Ground,
) -> Proof {
    let store = ground.open().await?;
    // A queue of what is still to be told there; it ends nothing.
    store.append(facts(vec![fact(0, 1)])).await?;
    let id = store.put_revision(b"text".to_vec(), at(1)).await?;
    let elsewhere = vec![7, 0];
    let activated = store
        .activate_from(id, at(2), false, Some(elsewhere.clone()))
        .await?;
    assert_eq!(activated, Some(elsewhere.clone()));
    let states = store.shard_states().await?;
    let history: Vec<u64> = states.iter().map(|state| state.history_until).collect();
    let from: Vec<u64> = states.iter().map(|state| state.revision_from).collect();
    assert_eq!((&history, &from), (&elsewhere, &elsewhere));
    let told = store.activations().await?;
    let told: Vec<u64> = told.iter().map(|one| one.position).collect();
    assert_eq!(told, elsewhere);
    // A later text decides from where each shard stands, wherever its log has come to meanwhile.
    let later = store.put_revision(b"later".to_vec(), at(3)).await?;
    let activated = store
        .activate_from(later, at(4), false, Some(vec![9, 9]))
        .await?;
    assert_eq!(activated, Some(vec![0, 0]));
    assert_eq!(store.shard(0).await?.history_until, 7);
    Ok(())
}

pub(super) async fn a_later_text_waits_until_every_account_is_brought_over(
    ground: &Ground,
) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    store.append(facts(vec![fact(0, 1), fact(0, 2)])).await?;
    let one = store.put_revision(b"one".to_vec(), at(1)).await?;
    let two = store.put_revision(b"two".to_vec(), at(1)).await?;
    store.activate(one, at(1), false).await?;
    let before = store.shard(0).await?;
    assert_eq!((before.rebased, before.history_until), (Some(one), 2));
    let mut commit = Commit::new(0, epoch, before.mark, at(2));
    commit.to_position = 1;
    commit.heads = vec![HeadWrite {
        revision: one,
        ..head("acme", &[1])
    }];
    let done = store.commit(commit).await?;
    store.activate(two, at(3), true).await?;
    let stale = Commit::new(0, epoch, done.mark, at(4));
    let refused = store.commit(stale).await;
    assert!(matches!(refused, Err(CommitError::Moved { .. })));
    let after = store.shard(0).await?;
    assert_eq!((after.revision_from, after.history_until), (1, 2));
    assert_eq!(after.rebased, Some(one));
    assert_eq!(store.stale_count(0, two).await?, 1);
    let mut commit = Commit::new(0, epoch, after.mark, at(4));
    commit.heads = vec![HeadWrite {
        revision: two,
        ..head("acme", &[2])
    }];
    commit.is_rebased = true;
    let mut mark = store.commit(commit).await?.mark;
    assert_eq!(store.shard(0).await?.rebased, Some(two));
    let reached = [Some(Backfill::Reached(0)), None, Some(Backfill::Done)];
    for (backfill, kept) in reached.into_iter().zip([Some(0), Some(0), None]) {
        let mut commit = Commit::new(0, epoch, mark, at(4));
        commit.backfill = backfill;
        mark = store.commit(commit).await?.mark;
        assert_eq!(store.shard(0).await?.backfill, kept);
    }
    assert_eq!(store.stale_count(0, two).await?, 0);
    let told = store.activations().await?;
    let of_first = told.iter().filter(|one| one.shard == 0);
    let places: Vec<_> = of_first.map(|it| (it.revision, it.position)).collect();
    assert_eq!(places, [(one, 2), (two, 1)]);
    let text = store.applied().await?.ok_or("it was applied")?;
    assert!(text.ends_resting);
    Ok(())
}

pub(super) async fn hundreds_of_heads_go_through_one_commit(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let names: Vec<String> = (0..517).map(|n| format!("a{n:03}")).collect();
    let mut from = START;
    for round in 0..2_u8 {
        let mut commit = Commit::new(0, epoch, from, at(1));
        commit.heads = names.iter().map(|name| head(name, &[round; 600])).collect();
        commit.journal = names
            .iter()
            .map(|name| record(name, "renewal", 1))
            .collect();
        from = store.commit(commit).await?.mark;
    }
    let all = names.iter().map(|name| wanted(name, Parts::None)).collect();
    let loaded = store.load(0, all).await?;
    assert_eq!(loaded.len(), 517);
    assert!(loaded.iter().all(|one| one.head == [1; 600]));
    assert_eq!(store.verify_journal(0).await?.end, 2 * 517);
    Ok(())
}
