//! A real browser, Debian's Chromium without a window, told what to do over its DevTools pipe: one JSON text after
//! another, each ended by a zero byte.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::{Failure, wait};

const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
const BINARY: &str = "chromium";

/// A browser with one page.
#[derive(Debug)]
pub struct Browser {
    _child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    number: u64,
    session: String,
}

impl Browser {
    /// Starts one that keeps its things in `folder` and prefers this language.
    ///
    /// # Errors
    /// When it is not installed, or says nothing.
    pub async fn start(folder: &Path, language: &str) -> Result<Browser, Failure> {
        // Its pipes are the channels 3 and 4; the shell only puts ours there.
        let line = format!(
            "exec {BINARY} --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
             --disable-background-networking --disable-component-update --disable-sync \
             --remote-debugging-pipe --lang={language} --user-data-dir=\"$0\" about:blank \
             3<&0 4>&1 </dev/null >/dev/null 2>/dev/null"
        );
        let mut child = Command::new("sh")
            .args(["-c", &line])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(Failure::io("starting a browser"))?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(broken("it has no pipes"));
        };
        let mut browser = Browser {
            _child: child,
            orders,
            answers: BufReader::new(answers),
            number: 0,
            session: String::new(),
        };
        let made = browser.order("Target.createTarget", json!({"url": "about:blank"}));
        let target = made.await?["targetId"].clone();
        let attach = json!({"targetId": target, "flatten": true});
        let attached = browser.order("Target.attachToTarget", attach).await?;
        browser.session = attached["sessionId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok(browser)
    }

    /// Opens an address and waits until the page has a heading.
    ///
    /// # Errors
    /// When the page does not come.
    pub async fn open(&mut self, url: &str) -> Result<String, Failure> {
        self.order("Page.navigate", json!({"url": url})).await?;
        self.heading_after("").await
    }

    /// Shows this page instead of the one that is open.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn show(&mut self, page: &str) -> Result<(), Failure> {
        let page = json!(page);
        let write = format!("document.open(); document.write({page}); document.close()");
        self.value(&write).await.map(drop)
    }

    /// From now on its reader prefers this scheme of colours: `light` or `dark`.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn prefers(&mut self, scheme: &str) -> Result<(), Failure> {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let wanted = json!({"features": features});
        let told = self.order("Emulation.setEmulatedMedia", wanted);
        told.await.map(drop)
    }

    /// Presses the button with this text, and gives the heading of the page that follows.
    ///
    /// # Errors
    /// When there is no such button, or no other page comes.
    pub async fn press(&mut self, text: &str) -> Result<String, Failure> {
        let before = self
            .value("document.querySelector('h1').textContent")
            .await?;
        let find = format!(
            "[...document.querySelectorAll('button')].find(one => one.textContent === {})",
            json!(text)
        );
        let pressed = self
            .value(&format!("({find})?.click() ?? !!({find})"))
            .await?;
        if pressed != json!(true) {
            return Err(broken(&format!("there is no button {text:?}")));
        }
        self.heading_after(before.as_str().unwrap_or_default())
            .await
    }

    /// What an expression of JavaScript comes to in the page.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn value(&mut self, expression: &str) -> Result<Value, Failure> {
        let asked = json!({"expression": expression, "returnByValue": true});
        let answer = self.order("Runtime.evaluate", asked).await?;
        Ok(answer["result"]["value"].clone())
    }

    async fn heading_after(&mut self, before: &str) -> Result<String, Failure> {
        let what = format!("the page after {before:?}");
        wait::until(&what, ANSWER_TIME_MAX, async || {
            // Between two pages there is no document to ask.
            let asked = self.value("document.querySelector('h1')?.textContent ?? ''");
            let heading = asked.await.ok()?.as_str()?.to_owned();
            (!heading.is_empty() && heading != before).then_some(heading)
        })
        .await
    }

    async fn order(&mut self, method: &str, parameters: Value) -> Result<Value, Failure> {
        self.number += 1;
        let mut order = json!({"id": self.number, "method": method, "params": parameters});
        if !self.session.is_empty() {
            order["sessionId"] = json!(self.session);
        }
        let mut bytes = order.to_string().into_bytes();
        bytes.push(0);
        let number = self.number;
        let talking = async {
            self.orders.write_all(&bytes).await?;
            loop {
                let mut answer = Vec::new();
                if self.answers.read_until(0, &mut answer).await? == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                answer.pop();
                let answer: Value = serde_json::from_slice(&answer)?;
                // What happens meanwhile is told too.
                if answer["id"] == json!(number) {
                    return Ok(answer);
                }
            }
        };
        let answered = timeout(ANSWER_TIME_MAX, talking).await;
        let answered = answered.map_err(|_| Failure::Late {
            what: format!("the browser answers {method}"),
            seconds: ANSWER_TIME_MAX.as_secs(),
        })?;
        let doing =
            format!("telling the browser {method}; `apt-get install {BINARY}` installs one");
        let mut answer = answered.map_err(Failure::io(doing))?;
        match answer.get("error") {
            Some(error) => Err(broken(&format!("{method}: {error}"))),
            None => Ok(answer["result"].take()),
        }
    }
}

fn broken(said: &str) -> Failure {
    Failure::Program {
        program: BINARY.to_owned(),
        said: said.to_owned(),
    }
}
