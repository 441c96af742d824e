//! Places where tests end the process as a power cut would, between two steps that must hold
//! together. They exist only in a build with the feature `failpoints`; any other has nothing here.

/// The n-th time the program comes by the place that `ALOUD_FAILPOINT` names, as `place:n`, it is
/// killed there and then.
#[cfg(feature = "failpoints")]
pub(crate) fn reach(place: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("ALOUD_FAILPOINT").ok()?;
        let (place, times) = text.split_once(':')?;
        Some((place.to_owned(), AtomicU64::new(times.parse().ok()?)))
    });
    if let Some((wanted, left)) = wanted
        && wanted == place
        && left.fetch_sub(1, Ordering::AcqRel) == 1
    {
        let me = rustix::process::getpid();
        // Nothing after this runs.
        let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    }
}

/// Nothing: this build has no such places.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn reach(_place: &str) {}
