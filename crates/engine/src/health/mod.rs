//! Health: two sides, one score, a band with margin and hold.

mod band;
mod score;

pub use band::{State, Update, next_change, update};
pub(crate) use score::{Measured, band_of, hold, measured, score};

use workflow::program::{Band, HealthName};

/// A band as a word.
pub fn word(band: Band) -> &'static str {
    match band {
        Band::Red => "red",
        Band::Yellow => "yellow",
        Band::Green => "green",
    }
}

/// A name under `health` as it is written.
pub fn name(name: HealthName) -> &'static str {
    match name {
        HealthName::Score => "health.score",
        HealthName::Band => "health.band",
        HealthName::Co => "health.co",
        HealthName::Cx => "health.cx",
        HealthName::CoBand => "health.co_band",
        HealthName::CxBand => "health.cx_band",
        HealthName::Weakest => "health.weakest",
    }
}
