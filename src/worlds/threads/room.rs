//! How many threads there is room for.
//!
//! On Linux a process has a bounded number of memory maps, and a thread takes four: stack and signal stack, each with
//! its guard page. Beyond that a thread still starts, and then the standard library ends the whole process, which the
//! caller cannot prevent.

/// Maps that a thread takes.
const MAPS_A_THREAD: u32 = 4;

/// Maps left for everything else.
const MAPS_IN_RESERVE: u32 = 1_500;

/// The most threads that fit; none where the system does not say.
pub(super) fn most_threads() -> Option<u32> {
    let maps: u32 =
        std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?.trim().parse().ok()?;
    Some(maps.saturating_sub(MAPS_IN_RESERVE) / MAPS_A_THREAD)
}
