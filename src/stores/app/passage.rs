//! A proxy that holds no statement, in front of a private server: a benchmark measures the proxy's cost with it.

use std::sync::Arc;

use super::names;
use super::upstreams;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::describe::app::Upstream;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::proxy::{Certificate, Proxy, Target};
use crate::stores::remote::StoreConfig;
use crate::stores::upstream::UpstreamDatabase;

/// A private server, and a proxy in front of it that lets everything through. Dropping it removes both.
pub struct Passage {
    through: String,
    beside: String,
    _proxy: Proxy,
    _backing: Box<dyn UpstreamDatabase>,
}

impl std::fmt::Debug for Passage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passage").finish_non_exhaustive()
    }
}

impl Passage {
    /// Starts a server of this kind: postgres, mysql or redis.
    ///
    /// # Errors
    /// [`Error::World`] when it cannot be started.
    pub fn open(store: StoreKind) -> Result<Self, Error> {
        let terms = StoreConfig::of(&Settings::default(), &Control::default());
        let database = upstreams::open(store, None, false, &terms)?;
        let (tracker, certificate) = (Arc::default(), Arc::new(Certificate::make()?));
        let proxy = Proxy::open(0, database.behind(0), tracker, certificate)?;
        let upstream = Upstream { store, url: None, listen: 0, schema: None, seed: None };
        let endpoint = database.endpoint();
        let url = names(&upstream, endpoint, proxy.port()).swap_remove(0).1;
        let beside = match &endpoint.target {
            Target::Unix(path) => {
                let folder = path.parent().unwrap_or(path).display().to_string();
                let place = format!("127.0.0.1:{}", proxy.port());
                url.replace(&place, "") + &format!("?host={folder}")
            }
            Target::Tcp(host, port) => {
                url.replace(&format!("127.0.0.1:{}", proxy.port()), &format!("{host}:{port}"))
            }
        };
        Ok(Self { through: url, beside, _proxy: proxy, _backing: database })
    }

    /// The URL that leads through the proxy; it contains the password.
    #[must_use]
    pub fn through(&self) -> &str {
        &self.through
    }

    /// The URL of the server itself, without the proxy; for PostgreSQL, over the server's socket.
    #[must_use]
    pub fn beside(&self) -> &str {
        &self.beside
    }
}
