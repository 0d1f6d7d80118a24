//! What goes over the wire of those who bring mail back: lines and whole mails, each within its limit and its time.

use super::lmtp::LINE_TIME_MAX;
use ingest::mail::MAIL_BYTES_MAX;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// Says something; an encrypted stream may keep it back otherwise.
pub(super) async fn put(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    bytes: &[u8],
) -> std::io::Result<()> {
    stream.get_mut().write_all(bytes).await?;
    stream.get_mut().flush().await
}

/// A line.
pub(super) enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// The next line without its end; none when the other side is gone.
pub(super) async fn line(
    stream: &mut (impl AsyncBufReadExt + Unpin),
    bytes_max: usize,
) -> std::io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut is_too_long = false;
    loop {
        let late = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
        let buffer = timeout(LINE_TIME_MAX, stream.fill_buf())
            .await
            .map_err(late)??;
        if buffer.is_empty() {
            return Ok(None);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(buffer.len(), |end| end + 1);
        if line.len() + taken > bytes_max {
            is_too_long = true;
            line.clear();
        } else if !is_too_long {
            line.extend_from_slice(&buffer[..taken]);
        }
        stream.consume(taken);
        if end.is_some() {
            break;
        }
    }
    if is_too_long {
        return Ok(Some(Line::TooLong));
    }
    Ok(Some(Line::Whole(line)))
}

/// A mail.
pub(super) enum Mail {
    Whole(Vec<u8>),
    TooLarge,
}

/// The mail up to the dot on a line of its own, ended by CR and LF as everywhere: nothing else ends a mail.
pub(super) async fn mail(
    stream: &mut (impl AsyncBufReadExt + Unpin),
) -> std::io::Result<Option<Mail>> {
    let mut bytes = Vec::new();
    let mut is_too_large = false;
    let mut is_fresh = true;
    loop {
        let Some(line) = line(stream, MAIL_BYTES_MAX).await? else {
            return Ok(None);
        };
        let Line::Whole(line) = line else {
            is_too_large = true;
            is_fresh = true;
            continue;
        };
        if is_fresh && line == b".\r\n" {
            break;
        }
        let text = if is_fresh && line.first() == Some(&b'.') {
            &line[1..]
        } else {
            &line
        };
        is_fresh = line.ends_with(b"\r\n");
        // What is too much is read to its end, so that the answer is heard, and not kept.
        is_too_large |= bytes.len() + text.len() > MAIL_BYTES_MAX;
        if !is_too_large {
            bytes.extend_from_slice(text);
        }
    }
    Ok(Some(if is_too_large {
        Mail::TooLarge
    } else {
        Mail::Whole(bytes)
    }))
}
