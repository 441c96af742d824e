//! Sizes as people read them. Every size that is told, on the screen or in a line, passes through
//! here; nothing is ever computed from what it returns.

/// Bytes for a person, by thousands, as disks are sold: `63.2 MB`, from a hundred on without a
/// fraction.
///
/// ```
/// # use aloud::assets::human_size;
/// assert_eq!(human_size(63_201_294), "63.2 MB");
/// assert_eq!(human_size(123_456_789), "123 MB");
/// ```
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(size < 99.95 && unit > 0);
    format!("{size:.digits$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::human_size;

    #[test]
    fn sizes_are_short() {
        for (bytes, told) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (99_960, "100 kB"),
            (999_999, "1.0 MB"),
            (123_456_789, "123 MB"),
            (250_000_000_000, "250 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(human_size(bytes), told);
        }
    }
}
