//! The promise of the store, case by case. A case gets a [`Ground`] and opens its stores there; every backend runs all.

mod answer;
mod behind;
mod call;
mod commit;
mod fate;
mod gate;
mod ground;
mod harm;
mod journal;
mod lease;
mod log;
mod lost;
mod outbox;
mod race;
mod rest;
mod retention;
pub(crate) mod server;
mod source;
mod wake;

use crate::{
    Bid, ClaimRequest, Claimed, ClockMode, Commit, HeadWrite, Incoming, JournalWrite, NewFact,
    OpenError, OpenOptions, OutboxWrite, RevisionId, Role, ShardMark, Store, Tuning,
};
use jiff::Timestamp;
use model::{AccountId, Channel, MessageId, Outgoing, Record, RunId};
use std::time::Duration;

/// What a case returns.
type Proof = Result<(), Box<dyn std::error::Error>>;

/// Where stores are made: each opening is another process's view of the same data.
enum Ground {
    /// A folder with a file in it.
    Folder(tempfile::TempDir),
    /// A database of the server that all cases share.
    Database(server::Database),
}

/// The way to a store.
enum Way {
    File(std::path::PathBuf),
    Address(String),
}

impl Way {
    async fn open(self, options: OpenOptions) -> Result<Store, OpenError> {
        match self {
            Self::File(path) => Store::open(&path, options).await,
            Self::Address(url) => Store::connect_by_bids(&url, options).await,
        }
    }
}

impl Ground {
    fn sqlite() -> Self {
        Self::Folder(tempfile::tempdir().expect("a directory for a test can be made"))
    }

    async fn postgres() -> Self {
        Self::Database(
            server::Database::make()
                .await
                .expect("a database can be made"),
        )
    }

    /// A store of two shards under the live clock.
    async fn open(&self) -> Result<Store, OpenError> {
        self.open_with(ClockMode::Live, Tuning::default()).await
    }

    /// Another one beside it.
    async fn beside(&self) -> Self {
        match self {
            Self::Folder(_) => Self::sqlite(),
            Self::Database(_) => Self::postgres().await,
        }
    }

    async fn open_with(&self, clock: ClockMode, tuning: Tuning) -> Result<Store, OpenError> {
        let options = OpenOptions {
            shards: Some(2),
            clock: Some(clock),
            log: None,
            must_exist: false,
            tuning,
        };
        self.open_as(options).await
    }

    async fn open_as(&self, options: OpenOptions) -> Result<Store, OpenError> {
        self.way().open(options).await
    }

    /// The way to the store, for cases that open it in tasks.
    fn way(&self) -> Way {
        match self {
            Self::Folder(dir) => Way::File(dir.path().join("store.db")),
            Self::Database(database) => Way::Address(database.url()),
        }
    }

    /// Where no store can be.
    async fn open_nowhere(&self) -> Result<Store, OpenError> {
        let way = match self {
            Self::Folder(dir) => Way::File(dir.path().join("none/store.db")),
            Self::Database(database) => Way::Address(database.nowhere()),
        };
        way.open(OpenOptions::default()).await
    }

    /// How many bytes it takes, once what was removed is swept.
    async fn size(&self, store: &Store) -> Result<u64, Box<dyn std::error::Error>> {
        match self {
            Self::Folder(_) => Ok(store.check().await?.bytes),
            Self::Database(database) => database.swept_size().await,
        }
    }

    /// The folder, in cases that are about files.
    fn dir(&self) -> &std::path::Path {
        match self {
            Self::Folder(dir) => dir.path(),
            Self::Database(_) => unreachable!("cases about files run on files"),
        }
    }
}

/// Runs each case on each backend.
macro_rules! cases {
    ($($topic:ident: $($case:ident),+;)+) => {
        mod sqlite {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() -> super::Proof {
                    super::$topic::$case(&super::Ground::sqlite()).await
                }
            )+)+
        }

        mod postgres {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() -> super::Proof {
                    super::$topic::$case(&super::Ground::postgres().await).await
                }
            )+)+
        }
    };
}

/// Runs cases that are about files.
macro_rules! file_cases {
    ($($topic:ident: $($case:ident),+;)+) => {
        mod file {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() -> super::Proof {
                    super::$topic::$case(&super::Ground::sqlite()).await
                }
            )+)+
        }
    };
}

file_cases! {
    lost:
        a_full_disk_loses_nothing_that_was_acknowledged;
    rest:
        only_its_owner_reads_the_store;
}

cases! {
    log:
        facts_stand_in_order_from_one_in_each_shard,
        two_owners_append_at_once_and_leave_no_gap,
        a_page_of_the_log_ends_at_its_count_and_at_its_bytes,
        a_fact_for_no_shard_is_refused,
        a_full_queue_refuses_at_once,
        an_append_goes_on_when_its_caller_is_gone,
        a_parked_fact_is_replayed_once;
    source:
        what_a_source_became_and_how_far_it_is_are_one,
        a_source_is_read_by_one_and_a_zombie_writes_nothing,
        a_source_that_a_person_sets_anew_begins_there;
    lease:
        a_lease_is_one_owners_until_it_expires,
        renewing_keeps_the_epoch,
        a_lease_given_back_is_free_at_once_and_fences,
        deciding_and_sending_are_leased_apart,
        who_is_there_is_seen_until_it_leaves_or_is_silent;
    commit:
        a_commit_writes_all_of_it,
        a_commit_under_another_epoch_is_refused,
        a_commit_from_another_mark_is_refused,
        a_refused_commit_changes_nothing,
        an_account_without_a_head_is_refused,
        parts_and_csms_can_be_taken_away,
        a_first_text_takes_what_a_log_elsewhere_holds_as_history,
        a_later_text_waits_until_every_account_is_brought_over,
        a_text_takes_effect_in_every_shard_at_once,
        hundreds_of_heads_go_through_one_commit;
    wake:
        wakes_come_in_pages_behind_a_mark,
        an_account_has_one_wake_up_or_none,
        a_mark_can_be_lowered;
    outbox:
        a_message_is_queued_once_however_often_it_is_decided,
        a_message_says_which_text_decided_it,
        the_most_urgent_goes_first_and_nothing_before_its_time,
        the_log_clock_hands_over_at_once_and_tells_no_fates,
        shadow_stays_in_the_store,
        a_message_is_claimed_once,
        who_lost_the_lease_claims_nothing,
        an_attempt_needs_the_claim_it_was_made_for,
        an_attempt_may_be_written_again_by_its_own_claim,
        a_switch_stops_claims_and_attempts,
        only_what_waits_is_withdrawn,
        a_mail_says_which_contact_it_is_for,
        an_expired_claim_begins_nothing;
    fate:
        a_fate_is_told_in_the_log,
        what_expired_is_settled_as_that,
        a_deferred_message_comes_again,
        a_claim_is_settled_once,
        what_is_asked_at_once_has_its_own_answer,
        a_new_sender_takes_over_what_an_old_one_left,
        a_zombie_sender_begins_nothing_and_settles_nothing,
        an_unknown_fate_is_sent_again_only_where_the_topic_says_so,
        a_captured_mail_needs_no_attempt;
    answer:
        an_answer_is_told_once_in_its_accounts_log,
        under_the_log_clock_an_answer_has_no_time,
        what_became_of_a_copy_is_no_news_of_the_message,
        three_bounces_that_may_pass_make_a_pause,
        each_answer_stops_what_it_asks_for,
        what_follows_every_link_is_kept_and_told_to_no_log,
        a_domain_that_does_not_want_us_is_left_alone;
    gate:
        what_is_suppressed_is_not_claimed,
        each_scope_stops_its_own,
        what_is_claimed_finds_out_before_its_bytes_leave,
        who_is_suppressed_gets_no_copy,
        the_same_no_again_changes_nothing,
        a_no_may_end_by_itself,
        what_is_lifted_stays_in_the_ledger,
        a_no_is_told_to_every_log_that_knows_the_address,
        under_the_log_clock_a_no_carries_no_time,
        each_switch_holds_back_its_own_and_starves_nobody,
        a_cap_defers_what_is_too_much_for_one_address,
        a_cap_is_never_passed_by_several_senders,
        consent_is_kept_and_opens_nothing;
    ground:
        the_whole_table_of_grounds_holds,
        a_ground_that_ends_stops_what_is_claimed,
        of_many_each_is_asked_about,
        who_has_no_ground_is_told_what_is_missing;
    call:
        messages_of_a_lane_are_claimed_one_after_the_other,
        a_call_that_was_under_way_is_made_again_however_often,
        a_run_has_one_thread_in_each_channel;
    race:
        nobody_is_written_to_after_their_no_whoever_is_first;
    journal:
        an_edited_journal_is_found_out,
        a_shortened_journal_is_found_out,
        the_journal_is_read_by_account_workflow_and_time;
    retention:
        what_is_older_than_its_time_goes_from_the_oldest_on,
        what_is_not_decided_and_the_newest_row_stay,
        a_row_that_came_in_late_keeps_what_follows_it,
        a_zombie_removes_nothing,
        nothing_goes_while_a_text_takes_effect,
        the_journal_is_whole_from_where_it_is_kept,
        a_settled_message_goes_and_what_waits_stays,
        a_no_is_kept_though_its_message_is_gone,
        tables_stop_growing;
    lost:
        a_lost_commit_is_known_not_done,
        a_lost_answer_is_known_done,
        a_lost_answer_to_an_append_is_settled_too,
        a_lost_answer_to_a_claim_is_settled_too,
        a_killed_writer_leaves_nothing_half_done,
        a_writer_held_up_by_another_process_says_so,
        a_late_statement_costs_the_connection_only;
    rest:
        what_was_fixed_at_first_use_stays,
        a_missing_store_is_said_to_be_missing,
        a_text_is_stored_once,
        an_import_goes_on_where_it_was_cut,
        tasks_are_written_over,
        rejected_pieces_are_counted_with_one_sample,
        rejected_names_have_a_limit,
        accounts_come_in_pages_and_by_text,
        a_closed_store_says_so,
        stores_come_and_go_beside_each_other,
        keys_of_seals_are_made_once_and_stay,
        commits_that_do_not_follow_each_other_are_found,
        a_sound_store_has_no_problems;
}

/// `seconds` after the tests' beginning of time.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_768_262_400 + seconds).expect("the tests' instants are instants")
}

fn bid(owner: &str, now: i64) -> Bid {
    Bid {
        owner: owner.into(),
        now: at(now),
        ttl: Duration::from_secs(6),
    }
}

/// The epoch of a lease that must be free.
async fn epoch(store: &Store, role: Role, bid: &Bid) -> Result<u64, Box<dyn std::error::Error>> {
    let lease = store.acquire(0, role, bid).await?;
    Ok(lease.ok_or("the lease is taken")?.epoch)
}

const START: ShardMark = ShardMark {
    position: 0,
    commits: 0,
    revision: None,
};

fn fact(shard: u32, n: usize) -> NewFact {
    NewFact {
        shard,
        arrived_at: at(0),
        json: format!(r#"{{"id":"e-{n}"}}"#).into(),
    }
}

fn facts(facts: Vec<NewFact>) -> Incoming {
    Incoming {
        facts,
        parked: Vec::new(),
    }
}

fn head(account: &str, bytes: &[u8]) -> HeadWrite {
    HeadWrite {
        account: AccountId::new(account),
        revision: RevisionId(1),
        bytes: bytes.to_vec(),
    }
}

fn outgoing(message: &str) -> Outgoing {
    Outgoing {
        message: MessageId::new(message),
        account: AccountId::new("acme"),
        workflow: "renewal".into(),
        subject: "k-1".into(),
        run: RunId::new("r_1"),
        step: "intro".into(),
        channel: Channel::Route {
            route: "csm".into(),
            targets: Vec::new(),
        },
        content: model::message::Content::Text("hello".into()),
        view: serde_json::json!({"account": {"name": "アクメ"}}),
        topic: None,
        purpose: None,
        resends_unknown: false,
        not_before: at(0),
        expires_at: None,
        priority: 5,
        is_shadow: false,
    }
}

fn outbox(outgoing: Outgoing) -> OutboxWrite {
    OutboxWrite {
        outgoing,
        addresses: vec![crate::AddressKey([7; 32])],
        lane: None,
        related_until: None,
    }
}

fn record(account: &str, workflow: &str, second: i64) -> JournalWrite {
    let text = format!(
        r#"{{"at":"{}","account":"{account}","workflow":"{workflow}","kind":"start"}}"#,
        at(second)
    );
    let record: Record = serde_json::from_str(&text).expect("the tests' records are records");
    JournalWrite {
        at: at(second),
        revision: "w1".into(),
        record,
    }
}

/// Commits messages to shard 0 as its first decider.
async fn queue(store: &Store, messages: Vec<Outgoing>) -> Proof {
    queue_all(store, messages.into_iter().map(outbox).collect()).await
}

async fn queue_all(store: &Store, outbox: Vec<OutboxWrite>) -> Proof {
    let epoch = epoch(store, Role::Decide, &bid("decider", 0)).await?;
    let from = store.shard(0).await?.mark;
    let mut commit = Commit::new(0, epoch, from, at(0));
    commit.heads.push(head("acme", b"head"));
    commit.outbox = outbox;
    store.commit(commit).await?;
    Ok(())
}

/// Claims in shard 0.
async fn claim(
    store: &Store,
    epoch: u64,
    now: i64,
) -> Result<Vec<Claimed>, Box<dyn std::error::Error>> {
    let request = ClaimRequest {
        shard: 0,
        epoch,
        now: at(now),
        count_max: 10,
        cap: None,
        jurisdiction: model::Jurisdiction::Us,
    };
    Ok(store.claim(request).await?)
}

/// A store with messages in it and a sender with its epoch.
async fn sending(
    ground: &Ground,
    messages: Vec<Outgoing>,
) -> Result<(Store, u64), Box<dyn std::error::Error>> {
    let store = ground.open().await?;
    queue(&store, messages).await?;
    let epoch = epoch(&store, Role::Send, &bid("sender", 0)).await?;
    Ok((store, epoch))
}
