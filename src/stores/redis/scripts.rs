//! The scripts. Each is a file; the server knows them by their hash once it has seen them.

use ::redis::Script;

/// Every script.
pub(super) struct Scripts {
    pub(super) take: Script,
    pub(super) lease: Script,
    pub(super) unlease: Script,
    pub(super) read_fenced: Script,
    pub(super) write_fenced: Script,
    pub(super) hold: Script,
    pub(super) confirm: Script,
    pub(super) release: Script,
    pub(super) place_order_once: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            take: Script::new(include_str!("scripts/take.lua")),
            lease: Script::new(include_str!("scripts/lease.lua")),
            unlease: Script::new(include_str!("scripts/unlease.lua")),
            read_fenced: Script::new(include_str!("scripts/read_fenced.lua")),
            write_fenced: Script::new(include_str!("scripts/write_fenced.lua")),
            hold: Script::new(include_str!("scripts/hold.lua")),
            confirm: Script::new(include_str!("scripts/confirm.lua")),
            release: Script::new(include_str!("scripts/release.lua")),
            place_order_once: Script::new(include_str!("scripts/place_order_once.lua")),
        }
    }
}
