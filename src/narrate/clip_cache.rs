//! Which clips can be copied from earlier narrations, and which are kept for later ones. Decides
//! what determines a clip; the store knows only keys.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clip::{ClipKey, ClipStore, KeptClip, Trimmed};
use crate::engine::NarrationSettings;
use crate::settings::Settings;
use crate::speech::Utterance;

/// Whatever else determines a clip: what is done to samples after the model. Another number makes all
/// kept clips unknown.
const MAKING: &[u8] = b"2";

/// How often the store is looked through for what has to go.
const BETWEEN_TRIMS: Duration = Duration::from_secs(600);

/// The store of clips, with its limit. Cheap to copy; the copies share it.
#[derive(Clone, Debug)]
pub struct ClipCache {
    store: ClipStore,
    /// Bytes.
    most: u64,
    trimmed: Arc<Mutex<Option<Instant>>>,
}

impl ClipCache {
    /// The store of these settings; `None` if they want none.
    #[must_use]
    pub fn from_settings(settings: &Settings) -> Option<Self> {
        let most = u64::from(settings.clip_store_mb) * 1_000_000;
        (most > 0).then(|| Self::new(ClipStore::new(&settings.paths.clips), most))
    }

    /// A store that may take so many bytes.
    #[must_use]
    pub fn new(store: ClipStore, most: u64) -> Self {
        Self {
            store,
            most,
            trimmed: Arc::default(),
        }
    }

    /// What determines the clip of an utterance: the voice, the settings and what the model is given,
    /// whichever text, eSpeak NG or rules that came from. `None` if the voice's version is not known. One of a
    /// narration's other voices speaks with its first speaker, at the narration's rate.
    pub(super) fn key(
        (voice, version): (&str, &str),
        rate: u32,
        settings: &NarrationSettings,
        utterance: &Utterance,
    ) -> Option<ClipKey> {
        if version.is_empty() {
            return None;
        }
        let is_own = utterance.voice == 0;
        let speed = settings.speed.to_le_bytes();
        let speaker = settings.speaker.filter(|_| is_own).map(u32::to_le_bytes);
        // What the narrator says is found by keys of earlier versions, which know of no rate.
        let rate = (!is_own).then(|| rate.to_le_bytes());
        let ids: Vec<u8> = utterance
            .ids
            .iter()
            .flat_map(|id| id.to_le_bytes())
            .collect();
        let mut parts: Vec<&[u8]> = vec![
            MAKING,
            voice.as_bytes(),
            version.as_bytes(),
            &speed,
            speaker.as_ref().map_or(&[], |speaker| &speaker[..]),
            &ids,
        ];
        parts.extend(rate.as_ref().map(|rate| &rate[..]));
        Some(ClipKey::of(&parts))
    }

    /// The clip with this key, if there is one and it is right.
    pub(super) fn get(&self, key: &ClipKey) -> Option<KeptClip> {
        self.store.get(key)
    }

    /// Keeps a clip. A disk that has no room for it is no reason to stop.
    pub(super) fn keep(&self, key: &ClipKey, clip: &KeptClip) {
        if let Err(error) = self.store.put(key, clip) {
            tracing::warn!(%error, "a clip can't be kept for other narrations");
        }
    }

    /// Brings the store to its limit.
    ///
    /// # Errors
    /// Its folder can't be read.
    pub fn trim(&self) -> std::io::Result<Trimmed> {
        self.store.trim(self.most)
    }

    /// The same, if it is time for it.
    pub(super) fn trim_now_and_then(&self) {
        let mut last = self.trimmed.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < BETWEEN_TRIMS) {
            return;
        }
        *last = Some(Instant::now());
        drop(last);
        match self.trim() {
            Ok(trimmed) if trimmed.deleted > 0 => {
                tracing::info!(
                    deleted = trimmed.deleted,
                    bytes = trimmed.freed,
                    "the oldest kept clips were deleted"
                );
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the kept clips can't be looked through"),
        }
    }
}
