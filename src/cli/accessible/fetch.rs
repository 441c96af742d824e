//! Says what is fetched before the start: the same as the bars of the other front ends, as
//! sentences. It must never decide what is fetched.

use super::lines::Lines;
use super::words::heard;
use crate::assets::{Assets, Fetch, FetchEvent, human_size};
use crate::service::reference;
use crate::settings::Settings;

/// Brings what the voice of these settings needs.
///
/// # Errors
/// [`crate::assets::AssetError`] (inside, to be found by downcasting), `Interrupted` among them.
pub(super) fn ensure(
    settings: &Settings,
    offline: bool,
    lines: &mut Lines,
    interrupted: &dyn Fn() -> bool,
) -> anyhow::Result<()> {
    let assets = Assets::from_settings(settings);
    let reference = reference(&settings.voice);
    // An unknown voice is told before anything is fetched for it.
    match assets.voice(&reference) {
        Ok(_) | Err(crate::assets::AssetError::Missing { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let need = assets.need_for(&reference);
    let missing = assets.missing(&need);
    if missing.is_empty() {
        return Ok(());
    }
    let from = if offline {
        Fetch::Offline
    } else {
        let total = missing.iter().map(|piece| piece.download_size()).sum();
        lines.say(&format!(
            "Fetching what is missing, {} in all, once; the option offline forbids it.",
            human_size(total)
        ));
        Fetch::Network
    };
    let mut fetching = Fetching::default();
    let mut tell = |event: FetchEvent<'_>| {
        if let Some(sentence) = fetching.said(event) {
            lines.say(&sentence);
        }
    };
    assets.ensure(&need, &from, &mut tell, interrupted)?;
    Ok(())
}

/// How far the piece is that was last told of.
#[derive(Default)]
struct Fetching {
    piece: String,
    quarter: u64,
}

impl Fetching {
    fn said(&mut self, event: FetchEvent<'_>) -> Option<String> {
        match event {
            FetchEvent::Waiting => {
                Some("Another aloud is fetching; waiting until it has finished.".to_owned())
            }
            FetchEvent::Downloading { piece, done, total } => {
                let name = piece.name();
                if self.piece != name {
                    let sentence = format!("Fetching {name}, {}.", human_size(total));
                    (self.piece, self.quarter) = (name, 0);
                    return Some(sentence);
                }
                let quarter = done.saturating_mul(4).checked_div(total).unwrap_or(0);
                if quarter <= self.quarter || quarter > 3 {
                    return None;
                }
                self.quarter = quarter;
                Some(format!("{name} is fetched to {} percent.", quarter * 25))
            }
            FetchEvent::Installed { piece, .. } => Some(format!(
                "{} is installed, its checksum is right.",
                piece.name()
            )),
            FetchEvent::Damaged { why, .. } => Some(heard(&why.to_string())),
            FetchEvent::Found { piece, path } => {
                Some(format!("Trying {} from {}", piece.name(), path.display()))
            }
            FetchEvent::Verifying { .. }
            | FetchEvent::Verified { .. }
            | FetchEvent::Unpacking { .. } => None,
        }
    }
}
