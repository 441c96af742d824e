//! How much memory there is, by Linux's account of it.

use std::fs;

/// Bytes that a process has in use.
pub(crate) fn resident(process: &str) -> Option<u64> {
    let statm = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Bytes that are free, or would be if they were needed.
pub(crate) fn available() -> Option<u64> {
    let all = fs::read_to_string("/proc/meminfo").ok()?;
    let line = all
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_some_and_there_is_more() {
        let mine = resident("self").unwrap();
        assert!(mine > 1_000_000, "{mine}");
        assert!(available().unwrap() > 1_000_000);
        assert_eq!(resident("no such process"), None);
    }
}
