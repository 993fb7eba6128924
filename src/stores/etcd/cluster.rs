//! Where the members are: a private group of three, or the user's.

use std::process::Command;

use serde_json::json;

use super::gateway::{Gateway, Members};
use super::wire;
use crate::base::error::Error;
use crate::base::text::nearest::shown;
use crate::base::text::server_url::without_password;
use crate::stores::Address;
use crate::stores::address::on_loopback;
use crate::stores::private::{Beside, Package, ServerSandbox};
use crate::stores::remote::StoreConfig;

/// What has to be installed.
pub(in crate::stores) const PACKAGE: Package = Package {
    title: "etcd",
    debian: "etcd-server",
    fedora: "etcd",
    homebrew: "etcd",
    places: &["/opt/homebrew/opt/etcd/bin", "/usr/local/opt/etcd/bin", "/usr/local/bin"],
    server: &["etcd"],
};

/// The number of members of a private group: the smallest that survives the failure of one.
const MEMBERS: usize = 3;

/// The log file of each member.
const LOGS: [&str; MEMBERS] = ["log-1", "log-2", "log-3"];

/// The election timeout. It is shorter than etcd's default of 1 s, which is meant for networks: the shortest lease
/// lasts one and a half of these, and is to last 1 s.
const ELECTION_MS: u32 = 600;

/// The heartbeat interval of the leader.
const HEARTBEAT_MS: u32 = 60;

/// Reads a list of URLs.
pub(super) fn members(urls: &str, address: &Address) -> Result<Members, Error> {
    let urls = urls.split(',').map(|url| member(url.trim(), address));
    urls.collect::<Result<_, _>>().map(Members::on_ports)
}

fn member(url: &str, address: &Address) -> Result<String, Error> {
    let wrong = |why: &str| {
        Error::input(format!(
            "--url: {} {why}; expected http://127.0.0.1:2379, or several of them with commas between",
            shown(&without_password(url))
        ))
    };
    let parsed: ureq::http::Uri = url.parse().map_err(|_| wrong("is no URL"))?;
    if parsed.scheme_str() != Some("http") {
        return Err(wrong("does not begin with http://"));
    }
    let authority = parsed.authority().ok_or_else(|| wrong("names no host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("names a user, which is not supported"));
    }
    if !matches!(parsed.path(), "" | "/") || parsed.query().is_some() {
        return Err(wrong("is longer than host and port"));
    }
    on_loopback(authority.host(), address)?;
    let port = authority.port_u16().unwrap_or(2379);
    Ok(format!("http://{}:{port}", authority.host()))
}

/// Starts a private group in its own directory, on sockets there: every local user could connect to ports.
pub(super) fn start(terms: &StoreConfig) -> Result<(Members, ServerSandbox), Error> {
    let program = PACKAGE.find_server()?;
    // etcd expects a host and a port, and creates a socket of that name in its working directory.
    let socket = |what: &str| (1..=MEMBERS).map(|n| format!("{what}-{n}:1")).collect::<Vec<_>>();
    let (clients, peers) = (socket("client"), socket("peer"));
    let names: Vec<String> = (1..=MEMBERS).map(|number| format!("member-{number}")).collect();
    let all: Vec<String> =
        names.iter().zip(&peers).map(|(name, peer)| format!("{name}=unix://{peer}")).collect();
    // The data need not survive, so the servers are killed without a shutdown.
    let sandbox = ServerSandbox::make("KILL")?;
    let members = Members::on_sockets(&clients, sandbox.servers_dir());
    for (((name, client), peer), log) in names.iter().zip(&clients).zip(&peers).zip(LOGS) {
        let mut command = sandbox.command(&program);
        forget_environment(&mut command);
        let beside = Beside { input: None, left_over: vec![client.clone(), peer.clone()] };
        let (client, peer) = (&format!("unix://{client}"), &format!("unix://{peer}"));
        command
            .args(["--name", name, "--data-dir", name, "--initial-cluster", &all.join(",")])
            .args(["--listen-client-urls", client, "--advertise-client-urls", client])
            .args(["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer])
            .args(["--initial-cluster-state", "new", "--initial-cluster-token"])
            .arg(format!("oversell-sim-{}", std::process::id()))
            .args(["--election-timeout", &ELECTION_MS.to_string()])
            .args(["--heartbeat-interval", &HEARTBEAT_MS.to_string()])
            // All members start at once. If each of them hurried its first election, they would split the votes; only
            // the last one does.
            .arg(format!("--initial-election-tick-advance={}", log == LOGS[MEMBERS - 1]))
            // Old revisions are compacted, so that many rounds do not fill the disk.
            .args(["--auto-compaction-mode", "revision", "--auto-compaction-retention", "10000"])
            .args(["--logger", "zap", "--log-level", "error"]);
        sandbox.launch(command, beside, log)?;
    }
    sandbox.await_answer("etcd", &terms.control, || {
        (0..MEMBERS).all(|place| sees_leader(&mut Gateway::brief(&members, place)))
    })?;
    Ok((members, sandbox))
}

/// Removes the variables that configure the user's own etcd.
fn forget_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ETCD_") {
            command.env_remove(name);
        }
    }
}

/// Whether the member answers and knows the leader.
pub(super) fn sees_leader(gateway: &mut Gateway) -> bool {
    let status = gateway.post_here("/v3/maintenance/status", &json!({}));
    // The id may be too large for an `i64`, so it is read as text; etcd leaves it out if it is 0.
    status.is_ok_and(|status| !wire::text(&status, "leader").is_empty())
}

/// Whether the member answers and is the leader.
pub(super) fn leads(gateway: &mut Gateway) -> bool {
    let status = gateway.post_here("/v3/maintenance/status", &json!({}));
    status.is_ok_and(|status| {
        let own = status.get("header").map_or("", |header| wire::text(header, "member_id"));
        !own.is_empty() && own == wire::text(&status, "leader")
    })
}
