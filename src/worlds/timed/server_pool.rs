//! The pool of servers: a door, a balancer, and servers with a few workers each. Requests that find all
//! workers busy stand in line.

use std::collections::VecDeque;

use super::sim_config::{Balancer, Door, ShopConfig};
use crate::domain::op::BuyerId;

/// One server.
#[derive(Clone, Debug, Default)]
struct PooledServer {
    busy: u32,
    line: VecDeque<usize>,
}

/// The servers, and which buyers are let in to them.
#[derive(Debug)]
pub(super) struct ServerPool {
    servers: Vec<PooledServer>,
    workers: u32,
    balancer: Balancer,
    door: Door,
    /// The server whose turn it is.
    turn: usize,
    /// Tokens in the bucket, in units of 10⁻⁹, and when that was.
    tokens: (u64, u64),
}

/// Billionths of a token.
const TOKEN: u64 = 1_000_000_000;

/// What becomes of a buyer at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Let {
    /// It is let in at this time.
    In(u64),
    /// It is sent away.
    Away,
}

impl ServerPool {
    pub(super) fn open(shop: &ShopConfig) -> Self {
        let full = match shop.door {
            Door::TokenBucket { per_s } => u64::from(per_s) * TOKEN,
            Door::Open | Door::WaitingRoom { .. } => 0,
        };
        Self {
            servers: vec![PooledServer::default(); shop.servers as usize],
            workers: shop.workers,
            balancer: shop.balancer,
            door: shop.door,
            turn: 0,
            tokens: (full, 0),
        }
    }

    /// A buyer comes to the door for the first time.
    pub(super) fn at_door(&mut self, now_ns: u64, clicked_ns: u64) -> Let {
        match self.door {
            Door::Open => Let::In(now_ns),
            Door::WaitingRoom { window_ns } => Let::In(now_ns.max(clicked_ns + window_ns)),
            Door::TokenBucket { per_s } => {
                let (tokens, then) = self.tokens;
                let more = (now_ns - then).saturating_mul(per_s.into());
                let tokens = tokens.saturating_add(more).min(u64::from(per_s) * TOKEN);
                let enough = tokens >= TOKEN;
                self.tokens = (tokens - if enough { TOKEN } else { 0 }, now_ns);
                if enough { Let::In(now_ns) } else { Let::Away }
            }
        }
    }

    /// Which server a request is given to.
    pub(super) fn choose(&mut self, buyer: BuyerId) -> usize {
        let servers = self.servers.len();
        match self.balancer {
            Balancer::RoundRobin => {
                self.turn = (self.turn + 1) % servers;
                (self.turn + servers - 1) % servers
            }
            Balancer::LeastBusy => {
                let load = |server: &PooledServer| server.busy as usize + server.line.len();
                let loads = self.servers.iter().map(load).enumerate();
                loads.min_by_key(|(number, load)| (*load, *number)).map_or(0, |(number, _)| number)
            }
            // Fibonacci hashing: neighbours go to different servers.
            Balancer::Hash => {
                (u64::from(buyer).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize % servers
            }
        }
    }

    /// A request comes to a server: whether a worker is free for it, else it stands in line.
    pub(super) fn take_in(&mut self, server: usize, seat: usize) -> bool {
        let workers = self.workers;
        let server = &mut self.servers[server];
        let is_free = server.busy < workers;
        match is_free {
            true => server.busy += 1,
            false => server.line.push_back(seat),
        }
        is_free
    }

    /// A worker has nothing more to do; if requests are in line, it takes the first.
    pub(super) fn next_in_line(&mut self, server: usize) -> Option<usize> {
        let server = &mut self.servers[server];
        let next = server.line.pop_front();
        server.busy -= u32::from(next.is_none());
        next
    }
}
