//! Copies of a server, at which orders are run side by side.

use super::orders::server_for;
use super::rehearsal::as_furnished;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::domain::settings::Settings;
use crate::stores::Address;
use crate::stores::remote::Server;
use crate::worlds::dyn_strategy::DynStrategy;

/// Opens so many copies of a server that was opened and rehearsed, and rehearses at each what was rehearsed there, so
/// that all know the same.
///
/// # Errors
/// As [`server_for`], and where a copy comes out otherwise than the first.
pub(crate) fn open_copies(
    strategy: &dyn DynStrategy,
    asked_for: &Settings,
    first: (&dyn Server, &Settings),
    address: &Address,
    control: &Control,
    copies: u64,
) -> Result<Vec<Box<dyn Server>>, Error> {
    let (server, settings) = first;
    let open = |_| {
        let copy = server_for(strategy, asked_for, address, control)?;
        let found = as_furnished(strategy, asked_for.clone(), &*copy)?;
        let is_same = found == *settings
            && copy.part_names() == server.part_names()
            && copy.version() == server.version();
        match is_same {
            true => Ok(copy),
            false => Err(Error::world(
                "--jobs: a second copy of the shop is not like the first; leave out --jobs",
            )),
        }
    };
    (0..copies).map(open).collect()
}

/// Whether there can be several copies of what is searched.
///
/// # Errors
/// [`Error::Input`] that says why not.
pub(crate) fn can_have_copies(strategy: &dyn DynStrategy, address: &Address) -> Result<(), Error> {
    let why = if address.url.is_some() {
        "at a server that runs already, orders are run one after the other; leave out --url"
    } else if let Some(app) = strategy.described().and_then(|checkout| checkout.app.clone()) {
        match () {
            () if app.url.is_some() && !app.is_started() => {
                "an application that runs already has no copies; add `command` to [app]"
            }
            () if app.url.as_ref().is_some_and(|url| !url.names().any(|name| name == "port")) => {
                "copies of an application need a port each; write {port} in its `url`"
            }
            () if app.upstreams.iter().any(|upstream| upstream.listen != 0) => {
                "copies of an application need a port each for their databases; leave out `listen`"
            }
            () if app.upstreams.iter().any(|upstream| upstream.url.is_some()) => {
                "copies of an application need a database each; leave out the `url` of [upstream]"
            }
            () => return Ok(()),
        }
    } else {
        return Ok(());
    };
    Err(Error::input(format!("--jobs: {why}, or --jobs")))
}
