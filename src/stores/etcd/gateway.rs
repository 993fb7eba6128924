//! Sends requests to the members over HTTP, to etcd's own JSON gateway. They go to one member; if it does not listen,
//! to the next.

use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

use super::trouble::Trouble;
use super::wire::{self, Txn, TxnResponse};
use super::{held, sockets};
use crate::base::control::Control;
use crate::domain::attempt::Failure;
use crate::scheduler::BuyerHandle;
use crate::stores::answer::MOST_BYTES;
use crate::stores::heeding;

/// The longest wait for a connection.
const CONNECTING: Duration = Duration::from_secs(5);

/// How much longer than a buyer's patience an answer may take: members without a majority take this long to report it.
const GRACE: Duration = Duration::from_secs(8);

/// The longest wait for an answer that is not essential.
const BRIEF: Duration = Duration::from_secs(2);

/// An answer whose body may not have arrived completely.
type GatewayResponse = ureq::http::Response<ureq::Body>;

/// Where the members listen.
#[derive(Clone, Debug)]
pub(super) struct Members {
    /// A URL each.
    urls: Arc<[String]>,
    /// The directory of their sockets, if they are ours: host and port of a URL are a socket's name then.
    sockets: Option<Arc<Path>>,
}

impl Members {
    /// Members that listen on ports.
    pub(super) fn on_ports(urls: Arc<[String]>) -> Self {
        Self { urls, sockets: None }
    }

    /// Members that listen on sockets with these names, in this directory.
    pub(super) fn on_sockets(names: &[String], dir: &Path) -> Self {
        let urls = names.iter().map(|name| format!("http://{name}")).collect();
        Self { urls, sockets: Some(dir.into()) }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.urls.len()
    }

    /// The URLs of all members, separated by commas.
    pub(super) fn listed(&self) -> String {
        match &self.sockets {
            None => self.urls.join(","),
            Some(dir) => {
                let socket = |url: &String| {
                    format!("unix://{}", dir.join(url.trim_start_matches("http://")).display())
                };
                self.urls.iter().map(socket).collect::<Vec<_>>().join(",")
            }
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Gateway {
    members: Members,
    /// The member that it sends requests to; taken modulo the number of members.
    place: usize,
    agent: Agent,
    within: Duration,
    /// The handle that holds its transactions, if they are held.
    handle: Option<BuyerHandle>,
}

impl Gateway {
    /// A client that sends its requests to the member at `place` first.
    pub(super) fn new(
        members: &Members,
        place: usize,
        patience: Duration,
        control: &Control,
    ) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECTING))
            .max_idle_connections_per_host(1)
            .user_agent("oversell-sim")
            .build();
        let (members, within) = (members.clone(), patience.saturating_add(GRACE));
        let agent = match &members.sockets {
            Some(dir) => sockets::agent(config, dir, control),
            None => heeding::agent(config, control),
        };
        Self { members, place, agent, within, handle: None }
    }

    /// From now on, this handle holds each transaction.
    pub(super) fn sit_down(&mut self, handle: BuyerHandle) {
        self.handle = Some(handle);
    }

    /// A client that waits only briefly for each answer.
    pub(super) fn brief(members: &Members, place: usize) -> Self {
        Self { within: BRIEF, ..Self::new(members, place, Duration::ZERO, &Control::default()) }
    }

    /// From now on, waits only briefly for each answer.
    pub(super) fn hurry(&mut self) {
        self.within = BRIEF;
    }

    /// From now on, sends requests to the next member.
    pub(super) fn move_on(&mut self) {
        self.place = self.place.wrapping_add(1);
    }

    /// Sends a request, and waits for the whole answer.
    pub(super) fn post(&mut self, path: &str, body: &Value) -> Result<Value, Trouble> {
        let answer = self.ask(path, body, self.within)?;
        hear(answer).inspect_err(|trouble| {
            if matches!(trouble, Trouble::Lost(_)) {
                self.move_on();
            }
        })
    }

    /// Sends a request to the current member, and to no other.
    pub(super) fn post_here(&mut self, path: &str, body: &Value) -> Result<Value, Trouble> {
        let answer = self.send(path, &body.to_string(), self.within);
        hear(answer.map_err(|error| self.lost(&error))?)
    }

    /// Runs a transaction; with a handle, waits for its release first.
    pub(super) fn commit(&mut self, txn: Txn) -> Result<TxnResponse, Trouble> {
        let body = txn.body();
        let Some(handle) = self.handle.clone() else { return self.commit_now(&body) };
        if !handle.await_release(held::pending(&body)) {
            return Err(Trouble::Failed(Failure::Interrupted));
        }
        let done = self.commit_now(&body);
        handle.answer(match &done {
            Ok(outcome) => held::told(&body, outcome),
            Err(trouble) => trouble.clone().text(),
        });
        done
    }

    fn commit_now(&mut self, body: &Value) -> Result<TxnResponse, Trouble> {
        wire::read_outcome(&self.post("/v3/kv/txn", body)?)
    }

    /// Waits until a key that existed at this revision is deleted, for at most `within`. It may return earlier without
    /// a deletion.
    pub(super) fn await_deletion(
        &mut self,
        key: &str,
        revision: i64,
        within: Duration,
    ) -> Result<(), Trouble> {
        let create = json!({ "create_request": {
            "key": wire::encode(key),
            "start_revision": (revision + 1).to_string(),
            "filters": ["NOPUT"],
        } });
        let mut answer = match self.ask("/v3/watch", &create, within) {
            Ok(answer) => answer,
            // The time is up, or the member is gone; the caller's next request finds out which.
            Err(Trouble::Lost(_)) => return Ok(()),
            Err(trouble) => return Err(trouble),
        };
        let body = answer.body_mut().with_config().limit(MOST_BYTES as u64).reader();
        let mut lines = BufReader::new(body);
        let mut line = String::new();
        loop {
            line.clear();
            match lines.read_line(&mut line) {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
            let news = read(&line)?;
            let news = news.get("result").unwrap_or(&news);
            if wire::flag(news, "canceled") || !wire::list(news, "events").is_empty() {
                return Ok(());
            }
        }
    }

    /// Sends a request to the first member that listens. If a request gets no answer, the next request goes to the next
    /// member.
    fn ask(
        &mut self,
        path: &str,
        body: &Value,
        within: Duration,
    ) -> Result<GatewayResponse, Trouble> {
        let body = body.to_string();
        let mut tries = 1;
        loop {
            match self.send(path, &body, within) {
                Err(error) if is_unsent(&error) && tries < self.members.len() => {
                    tries += 1;
                    self.move_on();
                }
                answer => {
                    return answer.map_err(|error| {
                        let lost = self.lost(&error);
                        self.move_on();
                        lost
                    });
                }
            }
        }
    }

    /// Sends a request to the current member.
    fn send(
        &self,
        path: &str,
        body: &str,
        within: Duration,
    ) -> Result<GatewayResponse, ureq::Error> {
        let request = self.agent.post(format!("{}{path}", self.member()));
        let request = request.content_type("application/json");
        request.config().timeout_global(Some(within)).build().send(body)
    }

    fn lost(&self, error: &ureq::Error) -> Trouble {
        Trouble::Lost(format!("etcd, {}: {error}", self.member()))
    }

    fn member(&self) -> &str {
        let places = self.members.len().max(1);
        self.members.urls.get(self.place % places).map_or("", String::as_str)
    }
}

/// Whether no member can have received the request, so that it may be sent to another one.
fn is_unsent(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        ureq::Error::Timeout(what) => matches!(what, ureq::Timeout::Connect),
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => true,
        _ => false,
    }
}

/// Waits for the whole of an answer.
fn hear(mut answer: GatewayResponse) -> Result<Value, Trouble> {
    match answer.body_mut().with_config().limit(MOST_BYTES as u64).read_to_string() {
        Ok(said) => read(&said),
        Err(ureq::Error::BodyExceedsLimit(_)) => {
            Err(Trouble::Refused("etcd: the answer takes more than 64 MiB".into()))
        }
        Err(error) => Err(Trouble::Lost(format!("etcd: {error}"))),
    }
}

/// Reads an answer.
pub(super) fn read(said: &str) -> Result<Value, Trouble> {
    let body: Value = serde_json::from_str(said).map_err(|_| {
        let start: String = said.chars().take(100).collect();
        Trouble::Refused(format!("etcd's JSON gateway is not there; it said `{}`", start.trim()))
    })?;
    match body.get("error") {
        // In a streamed answer, the error is an object.
        Some(error @ Value::Object(_)) => Err(Trouble::of(wire::text(error, "message"))),
        Some(error) => Err(Trouble::of(error.as_str().unwrap_or("an error"))),
        None => Ok(body),
    }
}
