//! The memory that this process takes.

use std::fs;

/// How many bytes of memory this process takes now, without what is swapped out; none where the system does not say.
#[must_use]
pub(crate) fn resident_bytes() -> Option<u64> {
    resident_in(&fs::read_to_string("/proc/self/status").ok()?)
}

/// The same, as the system writes it.
fn resident_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_memory_is_read_and_nothing_else_is_taken_for_it() {
        let status = "Name:\toversell\nVmPeak:\t  9 kB\nVmRSS:\t    2048 kB\nThreads:\t1\n";
        assert_eq!(resident_in(status), Some(2 << 20));
        assert_eq!(resident_in("VmRSS:\t7 pages\n"), None);
        assert_eq!(resident_in("VmSize:\t7 kB\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_memory() {
        assert!(resident_bytes() > Some(1 << 20));
    }
}
