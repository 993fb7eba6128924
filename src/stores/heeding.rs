//! HTTP whose waits for an answer end soon after the work is to end.

use std::time::Duration;

use ureq::config::Config;
#[cfg(any(feature = "etcd", fuzzing))]
use ureq::http::Uri;
#[cfg(any(feature = "etcd", fuzzing))]
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use ureq::{Agent, Error};

use super::answer::AnswerWait;
use crate::base::control::Control;

/// An HTTP agent over TCP.
pub(super) fn agent(config: Config, control: &Control) -> Agent {
    heeding(config, DefaultConnector::default(), DefaultResolver::default(), control)
}

/// An HTTP agent over these connections, which are made without looking up an address.
#[cfg(any(feature = "etcd", fuzzing))]
pub(super) fn agent_over(
    config: Config,
    connector: impl Connector<()>,
    control: &Control,
) -> Agent {
    heeding(config, connector, NoNames, control)
}

fn heeding(
    config: Config,
    connector: impl Connector<()>,
    resolver: impl Resolver,
    control: &Control,
) -> Agent {
    let heeding = HeedingConnector { control: control.clone() };
    Agent::with_parts(config, connector.chain(heeding), resolver)
}

/// Resolves no names.
#[cfg(any(feature = "etcd", fuzzing))]
#[derive(Debug)]
struct NoNames;

#[cfg(any(feature = "etcd", fuzzing))]
impl Resolver for NoNames {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

/// Has the connections of another connector heed a control.
#[derive(Debug)]
struct HeedingConnector {
    control: Control,
}

impl<In: Transport> Connector<In> for HeedingConnector {
    type Out = HeedingTransport<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        connected: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let control = self.control.clone();
        Ok(connected.map(|connection| HeedingTransport { connection, control }))
    }
}

/// A connection that heeds a control.
#[derive(Debug)]
struct HeedingTransport<T> {
    connection: T,
    control: Control,
}

impl<T: Transport> Transport for HeedingTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.connection.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let within = timeout.not_zero().map_or(Duration::MAX, |left| *left);
        let mut wait = AnswerWait::new(&self.control, within);
        while let Some(glance) = wait.glance() {
            match self.connection.await_input(NextTimeout { after: glance.into(), ..timeout }) {
                Err(Error::Timeout(_)) => {}
                heard => return heard,
            }
        }
        Err(Error::Timeout(timeout.reason))
    }

    fn is_open(&mut self) -> bool {
        self.connection.is_open()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn no_answer_is_waited_for_once_the_work_is_to_end() {
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let config = Agent::config_builder().proxy(None).build();
        let control = Control::default();
        let agent = agent(config, &control);
        control.stop_flag().store(true, Ordering::Relaxed);
        // The request has no time-out of its own: without the control, this would never return.
        assert!(agent.get(url).call().is_err());
    }
}
