//! Places where tests end the process as a power cut would, between two steps that must hold
//! together, or where they let something panic. They exist only in a build with the feature `failpoints`; any other has nothing here.

/// The n-th time the program comes by the place that `ALOUD_FAILPOINT` names, as `place:n`, it is
/// killed there and then.
#[cfg(feature = "failpoints")]
pub(crate) fn reach(place: &str) {
    if is_reached(place) {
        let me = rustix::process::getpid();
        // Nothing after this runs.
        let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    }
}

/// The same with a panic instead.
///
/// # Panics
/// That is what it is for.
#[cfg(all(feature = "failpoints", feature = "monitor"))]
pub(crate) fn panic_at(place: &str) {
    assert!(!is_reached(place), "the failpoint {place}");
}

/// Whether this is the time that `ALOUD_FAILPOINT` is about.
#[cfg(feature = "failpoints")]
fn is_reached(place: &str) -> bool {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("ALOUD_FAILPOINT").ok()?;
        let (place, times) = text.split_once(':')?;
        Some((place.to_owned(), AtomicU64::new(times.parse().ok()?)))
    });
    wanted
        .as_ref()
        .is_some_and(|(wanted, left)| wanted == place && left.fetch_sub(1, Ordering::AcqRel) == 1)
}

/// Nothing: this build has no such places.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn reach(_place: &str) {}

/// Nothing: this build has no such places.
#[cfg(all(not(feature = "failpoints"), feature = "monitor"))]
#[inline]
pub(crate) fn panic_at(_place: &str) {}
