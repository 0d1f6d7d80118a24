//! Meta, texts, imports, tasks, rejected pieces, pages.

use super::{Ground, Proof, START, at, bid, epoch, fact, facts, head};
use crate::{
    AppendError, ClockMode, Commit, Failure, ImportFile, OpenError, OpenOptions, RevisionId, Role,
    TaskFilter, Tuning,
};
use model::decision::Rejected;
use model::{AccountId, RunId, TaskChange, TaskKind, TaskState};

pub(super) async fn what_was_fixed_at_first_use_stays(ground: &Ground) -> Proof {
    let first = ground.open().await?;
    let same = ground.open_as(OpenOptions::default()).await?;
    assert_eq!(same.meta(), first.meta());
    assert_eq!((same.shards(), same.clock()), (2, ClockMode::Live));
    assert_eq!(same.meta().incarnation.len(), 32);
    let options = OpenOptions {
        shards: Some(8),
        ..OpenOptions::default()
    };
    let refused = ground.open_as(options).await;
    assert!(matches!(
        refused,
        Err(OpenError::Shards {
            stored: 2,
            asked: 8
        })
    ));
    let refused = ground.open_with(ClockMode::Log, Tuning::default()).await;
    assert!(matches!(refused, Err(OpenError::Clock { .. })));
    for count in [0, crate::SHARDS_MAX + 1] {
        let options = OpenOptions {
            shards: Some(count),
            ..OpenOptions::default()
        };
        let refused = ground.open_as(options).await;
        assert!(matches!(refused, Err(OpenError::ShardCount(_))));
    }
    Ok(())
}

pub(super) async fn a_missing_store_is_said_to_be_missing(ground: &Ground) -> Proof {
    let options = OpenOptions {
        must_exist: true,
        ..OpenOptions::default()
    };
    for _ in 0..2 {
        let refused = ground.open_as(options).await;
        assert!(matches!(refused, Err(OpenError::Missing(_))));
    }
    let refused = ground.open_nowhere().await;
    assert!(matches!(
        refused,
        Err(OpenError::File { .. } | OpenError::Failed(_))
    ));
    Ok(())
}

pub(super) async fn a_text_is_stored_once(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let one = store.put_revision(b"one".to_vec(), at(0)).await?;
    let two = store.put_revision(b"two".to_vec(), at(1)).await?;
    assert_ne!(one, two);
    assert_eq!(store.put_revision(b"one".to_vec(), at(2)).await?, one);
    let found = store.revision(one).await?.ok_or("it was stored")?;
    assert_eq!((&*found.bytes, found.stored_at), (&b"one"[..], at(0)));
    assert_eq!(found.applied_at, None);
    assert_eq!(store.revision(RevisionId(99)).await?, None);
    Ok(())
}

pub(super) async fn an_import_goes_on_where_it_was_cut(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let file = |done, finished: Option<i64>| ImportFile {
        hash: "abc".into(),
        name: "events.csv".into(),
        done,
        updated_at: at(1),
        finished_at: finished.map(at),
    };
    assert_eq!(store.import_file("abc").await?, None);
    let rows = vec![fact(0, 1), fact(1, 2)];
    store.append_import(rows, file(2, None)).await?;
    let refused = store.append_import(vec![fact(7, 3)], file(3, None)).await;
    assert!(matches!(refused, Err(AppendError::NoShard(7))));
    assert_eq!(store.import_file("abc").await?, Some(file(2, None)));
    store.append_import(Vec::new(), file(2, Some(5))).await?;
    assert_eq!(store.import_file("abc").await?, Some(file(2, Some(5))));
    assert_eq!(store.log_end(1).await?, 1);
    Ok(())
}

fn task(id: &str, account: &str, state: TaskState) -> TaskChange {
    TaskChange {
        task: id.into(),
        account: AccountId::new(account),
        workflow: "renewal".into(),
        subject: "k-1".into(),
        run: RunId::new("r_1"),
        step: "call".into(),
        kind: TaskKind::Do,
        title: "電話する".into(),
        assignee: "csm".into(),
        csm: None,
        opened_at: at(0),
        due_at: None,
        state,
    }
}

pub(super) async fn tasks_are_written_over(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let mut commit = Commit::new(0, epoch, START, at(0));
    commit.tasks = vec![
        task("t_1", "acme", TaskState::Open),
        task("t_2", "beta", TaskState::Open),
    ];
    let done = store.commit(commit).await?;
    let mut commit = Commit::new(0, epoch, done.mark, at(1));
    commit.tasks = vec![task("t_1", "acme", TaskState::Done)];
    store.commit(commit).await?;
    let found = store.task("t_1").await?.ok_or("it was given")?;
    assert_eq!(found.task, task("t_1", "acme", TaskState::Done));
    let filter = |account: Option<&str>, state, after: Option<&str>| TaskFilter {
        account: account.map(AccountId::new),
        assignee: None,
        due_before: None,
        state,
        after: after.map(Into::into),
        count_max: 10,
    };
    for (filter, expected) in [
        (filter(None, None, None), vec!["t_1", "t_2"]),
        (filter(Some("beta"), None, None), vec!["t_2"]),
        (filter(None, Some(TaskState::Done), None), vec!["t_1"]),
        (filter(None, None, Some("t_1")), vec!["t_2"]),
    ] {
        let rows = store.tasks(filter).await?;
        let found: Vec<&str> = rows.iter().map(|row| &*row.task.task).collect();
        assert_eq!(found, expected);
    }
    assert_eq!(store.task("t_9").await?, None);
    Ok(())
}

fn rejected(name: &str, sample: &str) -> Rejected {
    Rejected {
        code: "unknown_field".into(),
        name: name.into(),
        sample: sample.into(),
    }
}

pub(super) async fn rejected_pieces_are_counted_with_one_sample(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let mut from = START;
    for second in 1..=2 {
        let mut commit = Commit::new(0, epoch, from, at(second));
        commit.rejects = vec![
            rejected("account.x", "first"),
            rejected("account.x", "second"),
        ];
        from = store.commit(commit).await?.mark;
    }
    let rows = store.rejects().await?;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].count, &*rows[0].sample), (4, "first"));
    assert_eq!((rows[0].first_at, rows[0].last_at), (at(1), at(2)));
    Ok(())
}

pub(super) async fn rejected_names_have_a_limit(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let mut commit = Commit::new(0, epoch, START, at(1));
    commit.rejects = (0..1001)
        .map(|n| rejected(&format!("x{n:04}"), ""))
        .collect();
    let done = store.commit(commit).await?;
    assert_eq!(store.rejects().await?.len(), 1000);
    let mut commit = Commit::new(0, epoch, done.mark, at(2));
    commit.rejects = vec![rejected("x0000", ""), rejected("x9999", "")];
    store.commit(commit).await?;
    let rows = store.rejects().await?;
    assert_eq!(
        (rows.len(), rows[0].count),
        (1000, 2),
        "known names still count"
    );
    Ok(())
}

pub(super) async fn accounts_come_in_pages_and_by_text(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    let mut commit = Commit::new(0, epoch, START, at(0));
    commit.heads = ["b", "a", "c"].map(|name| head(name, b"h")).to_vec();
    commit.heads[0].revision = RevisionId(2);
    store.commit(commit).await?;
    let names = |rows: Vec<crate::AccountRow>| -> Vec<String> {
        rows.iter().map(|row| row.account.to_string()).collect()
    };
    assert_eq!(names(store.accounts(0, None, None, 2).await?), ["a", "b"]);
    let after = AccountId::new("b");
    assert_eq!(
        names(store.accounts(0, Some(&after), None, 2).await?),
        ["c"]
    );
    let stale = store.accounts(0, None, Some(RevisionId(2)), 9).await?;
    assert_eq!(names(stale), ["a", "c"]);
    assert_eq!(
        (store.account_count(0).await?, store.account_count(1).await?),
        (3, 0)
    );
    Ok(())
}

pub(super) async fn a_closed_store_says_so(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let clone = store.clone();
    store.append(facts(vec![fact(0, 1)])).await?;
    store.close().await;
    store.close().await;
    let refused = clone.append(facts(vec![fact(0, 2)])).await;
    assert!(
        matches!(refused, Err(AppendError::Failed(Failure::Closed))),
        "{refused:?}"
    );
    assert!(matches!(clone.log_end(0).await, Err(Failure::Closed)));
    assert!(matches!(
        clone.renew(&bid("one", 0)).await,
        Err(Failure::Closed)
    ));
    let again = ground.open().await?;
    assert_eq!(again.log_end(0).await?, 1);
    Ok(())
}

pub(super) async fn stores_come_and_go_beside_each_other(ground: &Ground) -> Proof {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..24 {
        let way = ground.way();
        tasks.spawn(async move {
            let store = way.open(OpenOptions::default()).await;
            let store = store.map_err(|why| why.to_string())?;
            let appended = store.append(facts(vec![fact(0, n)])).await;
            appended.map_err(|why| why.to_string())?;
            store.log_end(0).await.map_err(|why| why.to_string())?;
            store.close().await;
            Ok::<(), String>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let store = ground.open_as(OpenOptions::default()).await?;
    assert_eq!(store.log_end(0).await?, 24);
    Ok(())
}

pub(super) async fn only_its_owner_reads_the_store(ground: &Ground) -> Proof {
    use std::os::unix::fs::PermissionsExt;
    let store = ground.open().await?;
    store.append(facts(vec![fact(0, 1)])).await?;
    let mut seen = 0;
    for file in std::fs::read_dir(ground.dir())? {
        let file = file?;
        let mode = file.metadata()?.permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.path().display());
        seen += 1;
    }
    assert!(seen >= 3, "the file, its lock and its write-ahead log");
    Ok(())
}

pub(super) async fn a_sound_store_has_no_problems(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    store.append(facts(vec![fact(0, 1)])).await?;
    let health = store.check().await?;
    assert!(health.problems.is_empty(), "{health:?}");
    assert!(health.bytes > 0);
    Ok(())
}

pub(super) async fn commits_that_do_not_follow_each_other_are_found(ground: &Ground) -> Proof {
    let store = ground.open().await?;
    let epoch = epoch(&store, Role::Decide, &bid("one", 0)).await?;
    store
        .append(facts((1..=3).map(|n| fact(0, n)).collect()))
        .await?;
    let mut mark = START;
    for position in 1..=3 {
        let mut commit = Commit::new(0, epoch, mark, at(1));
        commit.to_position = position;
        mark = store.commit(commit).await?.mark;
    }
    assert_eq!(store.check().await?.problems, Vec::<Box<str>>::new());
    store
        .tamper("UPDATE batch SET epoch = epoch + 7, upto = upto + 1 WHERE place = 2")
        .await?;
    let found: [Box<str>; 2] = [
        "commit 3 of shard 0 was written under epoch 1, and the one before it under 8".into(),
        "commit 3 of shard 0 decides from position 2, and the one before it ended at 3".into(),
    ];
    assert_eq!(store.check().await?.problems, found);
    Ok(())
}

pub(super) async fn keys_of_seals_are_made_once_and_stay(ground: &Ground) -> Proof {
    let (one, two) = (ground.open().await?, ground.open().await?);
    let (first, again) = tokio::join!(one.seal_keys(at(0)), two.seal_keys(at(1)));
    let (first, again) = (first?, again?);
    assert_eq!(first, again);
    assert_eq!((first.len(), first[0].number), (1, 1));
    assert_eq!(two.rotate_seal(at(2)).await?, 2);
    let both = one.seal_keys(at(3)).await?;
    assert_eq!((both.len(), &both[0]), (2, &first[0]));
    assert_ne!(both[0].secret, both[1].secret);
    assert_eq!(both[1].made_at, at(2));
    assert!(!format!("{both:?}").contains(&format!("{:?}", both[0].secret)));
    Ok(())
}
