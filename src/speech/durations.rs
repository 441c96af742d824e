//! From what a model says of how long its inputs take to where they are heard.

/// The samples of each input from its frames of `hop` samples, each begun `lead` samples earlier, as it is
/// heard before the model says so. All together they are as many as before.
pub(super) fn as_heard(durations: &[u32], hop: usize, lead: u64) -> Vec<u32> {
    let count = durations.len();
    let (mut past, mut before) = (0u64, 0u64);
    let samples = durations.iter().enumerate().map(|(index, &duration)| {
        past += u64::from(duration) * hop as u64;
        let is_last = index + 1 == count;
        let end = if is_last {
            past
        } else {
            past.saturating_sub(lead)
        };
        let samples = end - before;
        before = end;
        u32::try_from(samples).unwrap_or(u32::MAX)
    });
    samples.collect()
}
