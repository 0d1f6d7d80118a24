//! What went wrong, as the server says it, and what follows of it.

use crate::Failure;

/// What an error means for the connection and for who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Two transactions stood in each other's way: the same again, from its beginning.
    Conflict,
    /// The server or the way to it is gone, or the server ended the connection.
    Gone,
    /// A lock was not to be had.
    Busy,
    /// A statement took too long.
    Late,
    /// No space is left.
    Full,
    /// Anything else.
    Other,
}

impl Class {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        let Some(told) = error.as_database_error() else {
            let is_gone = matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::WorkerCrashed
            );
            // Else it is a row or statement of our own that does not fit its types.
            return if is_gone { Self::Gone } else { Self::Other };
        };
        match told.code().as_deref().unwrap_or_default() {
            "40001" | "40P01" => Self::Conflict,
            "55P03" => Self::Busy,
            "57014" => Self::Late,
            "53100" => Self::Full,
            // The server stops, starts, was hurt, has no room for connections, or let an idle transaction go.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" => Self::Gone,
            code if code.starts_with("08") => Self::Gone,
            _ => Self::Other,
        }
    }

    /// What the caller is told.
    pub(crate) fn failure(self, error: &sqlx::Error) -> Failure {
        match self {
            Self::Conflict | Self::Busy => Failure::Busy,
            Self::Late => Failure::Late,
            Self::Full => Failure::Full,
            Self::Gone => Failure::Away(error.to_string().into()),
            Self::Other => Failure::Database(error.to_string().into()),
        }
    }

    /// What the caller is told when there was no connection to be had.
    pub(crate) fn away(self, error: &sqlx::Error) -> Failure {
        match self {
            Self::Other => Failure::Database(error.to_string().into()),
            Self::Conflict | Self::Busy | Self::Late | Self::Full | Self::Gone => {
                Failure::Away(error.to_string().into())
            }
        }
    }
}
