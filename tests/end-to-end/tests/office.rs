//! A small office: the workspace of the tests applied to a store of its own, and one server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use end_to_end::{Answer, Client, Failure, Product, Serving, Sink, Taken, wait};
use serde_json::{Value, json};
use tempfile::TempDir;

const BESIDE: &str = env!("CARGO_BIN_EXE_mail-sink");
const FATE_TIME_MAX: Duration = Duration::from_secs(60);

/// The product in this folder.
pub(crate) fn product(folder: &Path) -> Product {
    Product::beside(BESIDE, folder)
}

/// The top of the repository, whose `workflows` and `templates` are the shipped workspace.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The small workspace of the tests: who is told `paid` gets a mail that cannot be left, `trial` one that can.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("workspace")
}

/// The product with settings, a store and a running server.
pub(crate) struct Office {
    /// Removed when the office is closed.
    pub(crate) folder: TempDir,
    pub(crate) product: Product,
    pub(crate) server: Serving,
}

impl Office {
    /// Writes the settings, applies `workspace` and starts `serve`; `variables` go into its environment.
    pub(crate) async fn open(
        settings: &str,
        workspace: &Path,
        variables: &[(&str, &str)],
    ) -> Result<Office, Failure> {
        let folder = tempfile::tempdir().map_err(Failure::io("making a folder"))?;
        let file = folder.path().join("sottaku.yaml");
        std::fs::write(file, settings).map_err(Failure::io("writing the settings"))?;
        let mut product = product(folder.path());
        for (name, value) in variables {
            product = product.with(name, value);
        }
        let workspace = workspace.display().to_string();
        product.done(&["apply", &workspace, "--yes"]).await?;
        let server = Serving::start(&product, &["serve"], &folder.path().join("serve.log"))?;
        server.answers().await?;
        Ok(Office {
            folder,
            product,
            server,
        })
    }

    /// A client that waits long.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.server.address(), Duration::from_secs(30))
    }

    /// Tells of an account under contract with one champion, on a working morning.
    pub(crate) async fn tell(&self, account: &str, to: &str, plan: &str) -> Answer {
        let contract = json!({"contract": "k-1", "status": "active"});
        let contract = fact(account, "contract.updated", contract);
        let mut client = self.client();
        let told = client
            .tell("application/x-ndjson", contract.as_bytes())
            .await;
        assert_eq!(told.expect("the server answers").status, 202);
        self.tell_of_stranger(account, to, plan).await
    }

    /// The same of an account without a contract.
    pub(crate) async fn tell_of_stranger(&self, account: &str, to: &str, plan: &str) -> Answer {
        let lines = [
            fact(
                account,
                "contact.updated",
                json!({"contact": "p-1", "name": "Mika", "role": "champion", "email": to}),
            ),
            fact(
                account,
                "account.updated",
                json!({"name": "Acme", "plan": plan}),
            ),
        ];
        let mut client = self.client();
        let told = client
            .tell("application/x-ndjson", lines.join("\n").as_bytes())
            .await;
        told.expect("the server answers")
    }

    /// The account's message, once it is in one of these states.
    pub(crate) async fn fate(&self, account: &str, states: &[&str]) -> Value {
        let what = format!("the message of {account} is {states:?}");
        let found = wait::until(&what, FATE_TIME_MAX, async || {
            let mail = self.mails(account).await.into_iter().next()?;
            let state = mail["state"].as_str().unwrap_or_default().to_owned();
            states.contains(&&*state).then_some(mail)
        });
        match found.await {
            Ok(mail) => mail,
            Err(late) => panic!(
                "{late}: {:?}\n{}",
                self.mails(account).await,
                self.server.said()
            ),
        }
    }

    /// What the mail server took, once it is so many.
    pub(crate) async fn taken(&self, sink: &Sink, count: usize) -> Vec<Taken> {
        let taken = wait::until("the mails are taken", FATE_TIME_MAX, async || {
            let taken = sink.taken().ok()?;
            (taken.len() >= count).then_some(taken)
        });
        taken
            .await
            .unwrap_or_else(|late| panic!("{late}: {}", self.server.said()))
    }

    /// The account's messages.
    pub(crate) async fn mails(&self, account: &str) -> Vec<Value> {
        let arguments = ["mail", "list", "--account", account, "--output", "json"];
        let listed = self
            .product
            .done(&arguments)
            .await
            .expect("mails are listed");
        listed.json_lines().expect("each line is JSON")
    }
}

/// A fact of a working morning in Tokyo, named by its account and type.
pub(crate) fn fact(account: &str, kind: &str, data: Value) -> String {
    json!({
        "specversion": "1.0", "id": format!("{account}-{kind}"), "source": "test", "type": kind,
        "subject": account, "time": "2026-01-13T10:00:00+09:00", "data": data,
    })
    .to_string()
}
