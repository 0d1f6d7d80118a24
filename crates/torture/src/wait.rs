//! Waiting for another process: by asking it, never by guessing how long it takes.

use std::time::Duration;

use tokio::time::Instant;

use crate::Failure;

const PAUSE: Duration = Duration::from_millis(20);

/// Asks until there is an answer, and fails with `what` in words once `limit` is over.
///
/// # Errors
/// [`Failure::Late`] when the limit is over.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> Result<T, Failure> {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask().await {
            return Ok(answer);
        }
        if Instant::now() >= end {
            return Err(Failure::Late {
                what: what.to_owned(),
                seconds: limit.as_secs(),
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_ends_the_wait() {
        let mut asked = 0;
        let answer = until("the third time", Duration::from_secs(5), async || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(answer.await.expect("the third answer comes"), 3);
    }

    #[tokio::test]
    async fn what_never_comes_is_named() {
        let never = until("the moon is blue", Duration::ZERO, async || None::<()>).await;
        let said = never.expect_err("it never comes").to_string();
        assert_eq!(said, "after 0 s still not so: the moon is blue");
    }
}
