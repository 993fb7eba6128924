//! What a disk keeps.

use omnipaxos::storage::Storage;

use crate::worlds::timed::quorum::Durability;
use crate::worlds::timed::quorum::disk::{Disk, SharedDisk};
use crate::worlds::timed::quorum::letter::Entered;

/// Writes from a position on.
fn write(disk: &mut SharedDisk<u32>, from: usize, commands: &[u32]) {
    let entries = commands.iter().copied().map(Entered).collect();
    disk.append_on_prefix(from, entries).unwrap();
}

fn all(disk: &SharedDisk<u32>) -> Vec<u32> {
    disk.read(|disk| disk.commands(disk.start(), disk.end()))
}

#[test]
fn a_synced_disk_keeps_everything() {
    let mut disk = SharedDisk::blank(Durability::Synced);
    write(&mut disk, 0, &[1, 2, 3]);
    disk.write(Disk::crash);
    assert_eq!(all(&disk), [1, 2, 3]);
}

#[test]
fn an_unsynced_disk_keeps_what_it_was_at_the_last_flush() {
    let mut disk = SharedDisk::blank(Durability::Unsynced);
    write(&mut disk, 0, &[1, 2, 3]);
    disk.write(Disk::flush);
    write(&mut disk, 3, &[4]);
    write(&mut disk, 1, &[9]);
    assert_eq!(all(&disk), [1, 9]);
    disk.write(Disk::crash);
    assert_eq!(all(&disk), [1, 2, 3]);

    write(&mut disk, 1, &[9]);
    disk.write(Disk::flush);
    write(&mut disk, 2, &[8, 7]);
    disk.write(Disk::flush);
    disk.write(Disk::crash);
    assert_eq!(all(&disk), [1, 9, 8, 7]);
}

#[test]
fn what_is_forgotten_keeps_its_positions() {
    let mut disk = SharedDisk::blank(Durability::Unsynced);
    write(&mut disk, 0, &[1, 2, 3, 4]);
    disk.set_decided_idx(3).unwrap();
    assert_eq!(disk.read(Disk::decided_for_good), 0, "not yet");
    disk.write(Disk::flush);
    assert_eq!(disk.read(Disk::decided_for_good), 3);
    assert_eq!(disk.write(|disk| disk.forget(3)), [1, 2, 3]);
    assert_eq!(disk.read(|disk| (disk.start(), disk.end())), (3, 4));
    write(&mut disk, 4, &[5]);
    disk.write(Disk::flush);
    disk.write(Disk::crash);
    assert_eq!(all(&disk), [4, 5]);
    assert!(disk.get_entries(2, 5).unwrap().is_empty(), "no part of what is not all there");
}

#[test]
fn only_another_command_overwrites() {
    let mut disk = SharedDisk::blank(Durability::Synced);
    write(&mut disk, 0, &[1, 2, 3]);
    write(&mut disk, 1, &[2, 3, 4]);
    assert_eq!(disk.write(Disk::take_overwritten), None);
    write(&mut disk, 1, &[2, 9]);
    assert_eq!(disk.write(Disk::take_overwritten), Some(2));
    write(&mut disk, 1, &[2]);
    assert_eq!(disk.write(Disk::take_overwritten), Some(2), "nothing is another command as well");
}
