//! The other processes of one search.

use std::collections::BTreeSet;
use std::time::Duration;

use super::flags::{ExploreArgs, LimitFlags};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::fingerprint::fingerprint;
use crate::base::process_group::{ProcessGroup, Rendezvous};
use crate::base::text::nearest::shown;
use crate::domain::settings::Settings;
use crate::worlds::dyn_strategy::DynStrategy;

/// How long to wait for the other processes to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most processes of one search.
const MOST: usize = 1_000;

impl ExploreArgs {
    /// Whether several processes search together.
    pub(super) fn is_together(&self) -> bool {
        !self.together.processes.is_empty()
    }

    /// Connections to the other processes, once all have come.
    pub(super) fn join(
        &self,
        strategy: &dyn DynStrategy,
        settings: &Settings,
        control: &Control,
    ) -> Result<ProcessGroup, Error> {
        let rendezvous = self.rendezvous(strategy, settings)?;
        rendezvous.join(rendezvous.listen()?, control)
    }

    /// The processes of this search.
    fn rendezvous(
        &self,
        strategy: &dyn DynStrategy,
        settings: &Settings,
    ) -> Result<Rendezvous, Error> {
        let addresses = &self.together.processes;
        let lacks_port = |address: &&String| {
            let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
            port.is_none_or(|port| port == 0)
        };
        if let Some(wrong) = addresses.iter().find(lacks_port) {
            return Err(Error::input(format!(
                "--processes: expected HOST:PORT, such as one:7000, not `{}`",
                shown(wrong)
            )));
        }
        let mut known = BTreeSet::new();
        if let Some(again) = addresses.iter().find(|address| !known.insert(*address)) {
            return Err(Error::input(format!("--processes: {again} is there twice")));
        }
        if addresses.len() > MOST {
            return Err(Error::input(format!("--processes: {MOST} at most")));
        }
        let me = self.together.process.unwrap_or(0);
        if !(1..=addresses.len() as u64).contains(&me) {
            return Err(Error::input(format!(
                "--process: {me} is none of the {} in --processes; count from 1",
                addresses.len()
            )));
        }
        Ok(Rendezvous {
            addresses: addresses.clone(),
            me: me as usize - 1,
            work: self.work(strategy, settings),
            patience: self.limits.max_time.map_or(PATIENCE, |most| most.min(PATIENCE)),
        })
    }

    /// The fingerprint of what is searched, by which build of the program.
    fn work(&self, strategy: &dyn DynStrategy, settings: &Settings) -> String {
        // These bound one process, and may differ.
        let limits = LimitFlags { max_time: None, max_memory: None, ..self.limits.clone() };
        let command = Self { limits, ..self.clone() }.again(strategy, settings).to_string();
        let build = env!("OVERSELL_SIM_VERSION");
        // Without a flag each process has a seed of its own, which matters only where something is drawn.
        let seed = if settings.has_random_wants() { settings.seed } else { 0 };
        let settings = Settings { seed, ..settings.clone() };
        fingerprint(&(build, command, settings, strategy.described()))
    }
}
