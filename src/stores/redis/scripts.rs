//! The scripts. Each is a file; the server knows a script by its hash once it is loaded.

use ::redis::{ConnectionLike, RedisResult, Script};

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

    /// All scripts, with their names.
    fn all(&self) -> [(&Script, &'static str); 9] {
        [
            (&self.take, "take.lua"),
            (&self.lease, "lease.lua"),
            (&self.unlease, "unlease.lua"),
            (&self.read_fenced, "read_fenced.lua"),
            (&self.write_fenced, "write_fenced.lua"),
            (&self.hold, "hold.lua"),
            (&self.confirm, "confirm.lua"),
            (&self.release, "release.lua"),
            (&self.place_order_once, "place_order_once.lua"),
        ]
    }

    /// Loads all scripts into the server.
    pub(super) fn load(&self, connection: &mut impl ConnectionLike) -> RedisResult<()> {
        self.all().into_iter().try_for_each(|(script, _)| script.load(connection).map(drop))
    }

    /// The name of the script with this hash.
    pub(super) fn name_of(&self, hash: &str) -> &'static str {
        let known = self.all().into_iter().find(|(script, _)| script.get_hash() == hash);
        known.map_or("a script", |(_, name)| name)
    }
}
