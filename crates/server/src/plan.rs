//! The plan: what a changed workspace would do to the accounts in the store. Reads, and writes nothing (engine.md, 7).

use crate::activate::{Refused, checked};
use crate::active;
use engine::plan::{Outlook, Plan};
use engine::{Account, Change, Clock, Context, Csms, Resting, Rules};
use jiff::Timestamp;
use model::AccountId;
use std::collections::BTreeMap;
use store::{ClockMode, Failure, Parts, RevisionId, Store, Wanted};
use workflow::{Files, Program};

/// So many accounts are read at a time.
const PAGE: u32 = 200;

/// What applying a workspace would do.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Planned {
    /// The hash of its checked form.
    pub revision: Box<str>,
    /// The hash of the text that decides now; none: there is none, or it can't be read any more.
    pub applied: Option<Box<str>>,
    /// Whether they are the same text.
    pub is_same: bool,
    /// Facts that would count as history, since no text was applied before.
    pub history: u64,
    /// What it would do to accounts.
    pub plan: Plan,
}

/// Works out what applying `files` would do at `now`, the wall clock; a store under the log clock goes by its own time.
/// `told` hears how many accounts of how many were looked at.
pub async fn plan(
    store: &Store,
    files: &Files,
    now: Timestamp,
    resting: Resting,
    mut told: impl FnMut(u64, u64),
) -> Result<Planned, Refused> {
    let (program, _, _) = checked(files)?;
    let applied = store.applied().await?;
    let mut planned = Planned {
        revision: program.revision.clone(),
        applied: None,
        is_same: false,
        history: 0,
        plan: Plan::default(),
    };
    let Some(applied) = applied else {
        for shard in 0..store.shards() {
            planned.history += store.log_end(shard).await?;
        }
        return Ok(planned);
    };
    let old = active::program(&applied);
    planned.applied = old.as_ref().map(|old| old.revision.clone());
    planned.is_same = planned.applied.as_ref() == Some(&program.revision);
    if planned.is_same {
        return Ok(planned);
    }
    let all = count(store).await?;
    let rules = Rules::of(&program);
    let rules_before = old.as_ref().map(Rules::of);
    let mut looking = Looking {
        store,
        program: &program,
        changes: BTreeMap::new(),
        resting,
        now,
    };
    let change = Change::between(old.as_ref(), &program, resting);
    let mut outlook: Option<Plan> = None;
    let mut seen = 0;
    for shard in 0..store.shards() {
        let csms = csms(store, shard).await?;
        let context = Context {
            program: &program,
            rules: &rules,
            csms: &csms,
            pins: None,
            clock: clock(store),
        };
        let before = old.as_ref().zip(rules_before.as_ref());
        let before = before.map(|(program, rules)| Context {
            program,
            rules,
            ..context
        });
        let mut here = match outlook.take() {
            Some(plan) => Outlook::go_on(context, before, plan),
            None => Outlook::new(context, before, &change),
        };
        let mut more = |count: u64| {
            seen += count;
            told(seen, all);
        };
        looking.through(shard, &mut here, &mut more).await?;
        outlook = Some(here.pause());
    }
    planned.plan = outlook.unwrap_or_default().without_quiet();
    Ok(planned)
}

/// Whose time decides in a store.
fn clock(store: &Store) -> Clock {
    match store.clock() {
        ClockMode::Live => Clock::Live,
        ClockMode::Log => Clock::Log,
    }
}

/// How many accounts there are.
async fn count(store: &Store) -> Result<u64, Failure> {
    let mut all = 0;
    for shard in 0..store.shards() {
        all += store.account_count(shard).await?;
    }
    Ok(all)
}

/// What looking through a store needs.
struct Looking<'a> {
    store: &'a Store,
    program: &'a Program,
    /// What changes for accounts, by the text that decided them last.
    changes: BTreeMap<RevisionId, std::sync::Arc<Change>>,
    resting: Resting,
    now: Timestamp,
}

impl Looking<'_> {
    /// Looks at all accounts of a shard, page by page; `more` hears of each page.
    async fn through(
        &mut self,
        shard: u32,
        outlook: &mut Outlook<'_>,
        more: &mut impl FnMut(u64),
    ) -> Result<(), Refused> {
        let now = match self.store.clock() {
            ClockMode::Live => self.now,
            // The wall clock plays no part: nothing is due by it.
            ClockMode::Log => {
                let own = self.store.shard(shard).await?.now;
                own.unwrap_or(Timestamp::UNIX_EPOCH)
            }
        };
        let mut after = None;
        loop {
            let page = self.page(shard, after.as_ref()).await?;
            let count = page.len();
            after = page.last().map(|(account, _)| account.id.clone());
            for (account, change) in page {
                outlook.look(account, &change, now);
            }
            more(count as u64);
            tokio::task::yield_now().await;
            if count < PAGE as usize {
                return Ok(());
            }
        }
    }

    /// A page of accounts, each with what changes for it.
    async fn page(
        &mut self,
        shard: u32,
        after: Option<&AccountId>,
    ) -> Result<Vec<(Account, std::sync::Arc<Change>)>, Refused> {
        let rows = self.store.accounts(shard, after, None, PAGE).await?;
        let wanted = rows.into_iter().map(|row| Wanted {
            account: row.account,
            parts: Parts::All,
        });
        let mut loaded = self.store.load(shard, wanted.collect()).await?;
        loaded.sort_by(|a, b| a.account.cmp(&b.account));
        let mut page = Vec::with_capacity(loaded.len());
        for one in loaded {
            let change = self.change(one.revision).await?;
            let account = Account::decode(one.account, Some(&one.head), one.parts);
            let account = account.map_err(|why| unreadable("an account", why))?;
            page.push((account, change));
        }
        Ok(page)
    }

    async fn change(&mut self, from: RevisionId) -> Result<std::sync::Arc<Change>, Failure> {
        if let Some(known) = self.changes.get(&from) {
            return Ok(known.clone());
        }
        let revision = self.store.revision(from).await?;
        let old = revision.as_ref().and_then(active::program);
        let change = Change::between(old.as_ref(), self.program, self.resting);
        let change = std::sync::Arc::new(change);
        self.changes.insert(from, change.clone());
        Ok(change)
    }
}

async fn csms(store: &Store, shard: u32) -> Result<Csms, Refused> {
    let mut csms = Csms::default();
    for csm in store.csms(shard).await? {
        let read = csms.decode(&csm.csm, &csm.bytes);
        read.map_err(|why| unreadable("a CSM", why))?;
    }
    Ok(csms)
}

fn unreadable(what: &str, why: engine::DecodeError) -> Refused {
    Refused::Failed(Failure::Database(
        format!("{what} can't be read: {why}").into(),
    ))
}
