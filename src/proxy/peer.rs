//! Which process is at the other end of a connection on this machine, and which processes listen at a port.

use std::collections::BTreeSet;

/// The number of a process.
pub(super) type ProcessId = i32;

/// The process that has connected from one local port to another; none if it cannot be seen. `likely` are looked at
/// first.
#[cfg(target_os = "linux")]
pub(super) fn connected(from: u16, to: u16, likely: &BTreeSet<ProcessId>) -> Option<ProcessId> {
    let is_it = |entry: &procfs::net::TcpNetEntry| {
        entry.local_address.port() == from && entry.remote_address.port() == to
    };
    let inode = sockets().find(is_it)?.inode;
    let others = || every_process().filter(|process| !likely.contains(process));
    likely.iter().copied().chain(others()).find(|process| inodes(*process).any(|one| one == inode))
}

/// The processes that listen at a port.
#[cfg(target_os = "linux")]
pub(super) fn listening(port: u16) -> BTreeSet<ProcessId> {
    use procfs::net::TcpState;

    let is_it = |entry: &procfs::net::TcpNetEntry| {
        entry.state == TcpState::Listen && entry.local_address.port() == port
    };
    let at: BTreeSet<u64> = sockets().filter(is_it).map(|entry| entry.inode).collect();
    match at.is_empty() {
        true => BTreeSet::new(),
        false => every_process()
            .filter(|process| inodes(*process).any(|inode| at.contains(&inode)))
            .collect(),
    }
}

/// Whether no thread of a process of these groups runs or could run; none if that cannot be seen.
#[cfg(target_os = "linux")]
pub(crate) fn groups_are_asleep(groups: &[u32]) -> Option<bool> {
    let is_of_them = |process: &procfs::process::Process| {
        let group = process.stat().ok().and_then(|stat| u32::try_from(stat.pgrp).ok());
        group.is_some_and(|group| groups.contains(&group))
    };
    let every = procfs::process::all_processes().into_iter().flatten().flatten();
    are_asleep(every.filter(is_of_them).map(|process| process.pid()))
}

/// Whether no thread of these processes runs, could run or waits for a disk; none if that cannot be seen.
#[cfg(target_os = "linux")]
pub(super) fn are_asleep(processes: impl IntoIterator<Item = ProcessId>) -> Option<bool> {
    use procfs::process::Process;

    let mut is_known = false;
    for process in processes {
        // One that has ended sleeps for ever.
        let Ok(tasks) = Process::new(process).and_then(|process| process.tasks()) else {
            continue;
        };
        for task in tasks.flatten() {
            let Ok(stat) = task.stat() else { continue };
            is_known = true;
            if matches!(stat.state, 'R' | 'D') {
                return Some(false);
            }
        }
    }
    is_known.then_some(true)
}

/// The most ancestors of a process that are looked for.
const MOST_ANCESTORS: usize = 64;

/// The process that has started a process, the one that has started that, and so on, without the first of all and this
/// program.
pub(super) fn ancestors(process: ProcessId) -> impl Iterator<Item = ProcessId> {
    let own = std::process::id();
    let started = move |process: &ProcessId| {
        parent(*process).filter(|parent| *parent > 1 && parent.cast_unsigned() != own)
    };
    std::iter::successors(Some(process), started).skip(1).take(MOST_ANCESTORS)
}

#[cfg(target_os = "linux")]
fn parent(process: ProcessId) -> Option<ProcessId> {
    let process = procfs::process::Process::new(process).ok()?;
    process.stat().ok().map(|stat| stat.ppid)
}

/// Elsewhere than on Linux, it is not seen what has started a process.
#[cfg(not(target_os = "linux"))]
fn parent(_process: ProcessId) -> Option<ProcessId> {
    None
}

/// Elsewhere than on Linux, it is not seen whether a process runs.
#[cfg(not(target_os = "linux"))]
pub(super) fn are_asleep(_processes: impl IntoIterator<Item = ProcessId>) -> Option<bool> {
    None
}

/// Elsewhere than on Linux, it is not seen whether a process runs.
#[cfg(not(target_os = "linux"))]
pub(crate) fn groups_are_asleep(_groups: &[u32]) -> Option<bool> {
    None
}

/// Every TCP socket of this machine.
#[cfg(target_os = "linux")]
fn sockets() -> impl Iterator<Item = procfs::net::TcpNetEntry> {
    let tables = [procfs::net::tcp(), procfs::net::tcp6()];
    tables.into_iter().flatten().flatten()
}

#[cfg(target_os = "linux")]
fn every_process() -> impl Iterator<Item = ProcessId> {
    procfs::process::all_processes().into_iter().flatten().flatten().map(|process| process.pid())
}

/// The inodes of a process's sockets.
#[cfg(target_os = "linux")]
fn inodes(process: ProcessId) -> impl Iterator<Item = u64> {
    use procfs::process::{FDTarget, Process};

    let files = Process::new(process).and_then(|process| process.fd());
    files.into_iter().flatten().flatten().filter_map(|file| match file.target {
        FDTarget::Socket(inode) => Some(inode),
        _ => None,
    })
}

/// Elsewhere than on Linux, processes are not told apart.
#[cfg(not(target_os = "linux"))]
pub(super) fn connected(_from: u16, _to: u16, _likely: &BTreeSet<ProcessId>) -> Option<ProcessId> {
    None
}

/// Elsewhere than on Linux, processes are not told apart.
#[cfg(not(target_os = "linux"))]
pub(super) fn listening(_port: u16) -> BTreeSet<ProcessId> {
    BTreeSet::new()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_process_is_known_by_its_sockets() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let own = std::process::id() as ProcessId;
        let from = client.local_addr().unwrap().port();
        for likely in [BTreeSet::new(), BTreeSet::from([own]), BTreeSet::from([1])] {
            assert_eq!(connected(from, port, &likely), Some(own));
        }
        assert_eq!(connected(port, from, &BTreeSet::new()), None, "it was not accepted yet");
        assert_eq!(listening(port), BTreeSet::from([own]));
        assert_eq!(are_asleep([own]), Some(false), "this thread runs");
        assert_eq!(are_asleep([]), None);
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!(parent(child.id().cast_signed()), Some(own));
        assert_eq!(ancestors(child.id().cast_signed()).next(), None, "this program does not count");
        assert!(!ancestors(own).any(|ancestor| ancestor == 1 || ancestor == own));
        let group = rustix::process::getpgrp().as_raw_nonzero().get().cast_unsigned();
        assert_eq!(groups_are_asleep(&[group]), Some(false), "this thread is of its own group");
        assert_eq!(groups_are_asleep(&[]), None);
        child.kill().and_then(|()| child.wait()).unwrap();
        drop((client, listener));
        assert_eq!(listening(port), BTreeSet::new());
    }
}
