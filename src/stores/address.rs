//! Where a store is: a private server that is started for the run, or the one that a URL names.

#[cfg(feature = "private")]
use super::private::ServerSandbox;
use crate::base::error::Error;
use crate::base::text::server_url::ServerUrl;

/// Where to find a server. Without a URL, a private server is started, and removed after use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The URL of a server that is running already, such as `postgres://me:secret@localhost/shop`; for SQLite
    /// the path of a file that is to be made.
    pub url: Option<ServerUrl>,
    /// Whether the server may be on another machine. A race puts a heavy load on it.
    pub allow_remote: bool,
    /// Whether a search may put triggers on the server's tables while it lasts. They hold statements inside the server.
    pub allow_triggers: bool,
    /// Whether an application's filled databases are kept, and found again by the next command.
    pub keep: bool,
}

impl Address {
    /// The URL of this address, or that of a private server, which `start` starts.
    #[cfg(feature = "private")]
    pub(super) fn or_private(
        &self,
        start: impl FnOnce() -> Result<(String, ServerSandbox), Error>,
    ) -> Result<(String, Option<ServerSandbox>), Error> {
        match &self.url {
            Some(url) => Ok((url.with_password().to_owned(), None)),
            None => start().map(|(url, sandbox)| (url, Some(sandbox))),
        }
    }
}

/// Refuses a host off this machine, unless that is allowed.
///
/// # Errors
/// [`Error::Input`] that names the flag which allows it.
#[cfg(any(feature = "private", feature = "http"))]
pub(super) fn on_loopback(host: &str, address: &Address) -> Result<(), Error> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if is_loopback || address.allow_remote {
        return Ok(());
    }
    Err(Error::input(format!(
        "{} is not on this machine; oversell-sim sends load only to loopback\n       \
         to race against it on purpose, add --allow-remote",
        crate::base::text::nearest::shown(host)
    )))
}
