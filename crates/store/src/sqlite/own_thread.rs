//! A task on a thread of its own: once it is woken it goes on at once, however many tasks wait for the threads that all
//! others share.

use crate::Failure;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Starts a task on a thread of this name, which ends with it.
pub(crate) fn spawn(
    name: &str,
    task: impl Future<Output = ()> + Send + 'static,
) -> Result<JoinHandle<()>, Failure> {
    let failed = |why: std::io::Error| Failure::Database(format!("no thread: {why}").into());
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(failed)?;
    let (alive, ended) = oneshot::channel::<()>();
    let task = runtime.spawn(async move {
        // Dropped at the task's end, whichever that is.
        let _alive = alive;
        task.await;
    });
    let thread = std::thread::Builder::new().name(name.to_owned());
    // Nothing is ever sent: that the other side is gone is what ends it.
    let thread = thread.spawn(move || drop(runtime.block_on(ended)));
    thread.map_err(failed)?;
    Ok(task)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn it_runs_while_all_other_threads_are_taken_and_can_be_ended()
    -> Result<(), Box<dyn std::error::Error>> {
        let (ask, mut asked) = tokio::sync::mpsc::channel::<std::sync::mpsc::SyncSender<String>>(1);
        let answering = async move {
            while let Some(reply) = asked.recv().await {
                // Time passes there, too: statements have deadlines.
                let endless = std::future::pending::<()>();
                let ended = tokio::time::timeout(Duration::from_millis(1), endless).await;
                assert!(ended.is_err());
                let name = std::thread::current().name().unwrap_or_default().to_owned();
                drop(reply.send(name));
            }
        };
        let task = spawn("answering", answering)?;
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        ask.send(reply).await?;
        // The only thread of this test's runtime is not given back meanwhile.
        let answered = answer.recv_timeout(Duration::from_secs(60))?;
        assert_eq!(answered, "answering");
        drop(ask);
        task.await?;
        let endless = spawn("endless", std::future::pending())?;
        endless.abort();
        assert!(endless.await.is_err_and(|why| why.is_cancelled()));
        Ok(())
    }
}
