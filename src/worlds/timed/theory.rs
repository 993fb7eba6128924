//! What textbooks say of waiting in line, to hold a simulation against.
//!
//! A shop whose buyers click as a Poisson process, and whose servers each take an exponential time,
//! is an M/M/c queue in Kendall's notation: memoryless arrivals, memoryless service, c servers, one
//! line served in order. How likely one waits in it is Erlang's second formula ("C").
//!
//! Sources: A. K. Erlang, "Solution of some Problems in the Theory of Probabilities of Significance
//! in Automatic Telephone Exchanges", Elektroteknikeren 13, 1917; L. Kleinrock, "Queueing Systems,
//! Volume 1: Theory", Wiley 1975, sections 3.2 (M/M/1) and 3.5 (M/M/m).

use std::f64::consts::{PI, SQRT_2};

/// The most servers; [`MmcQueue::wait_probability`] takes a step for each.
const MOST_SERVERS: u32 = 1_000_000;

/// An M/M/c queue that keeps up: work comes in more slowly than all servers together can do it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MmcQueue {
    arrivals_per_s: f64,
    served_per_s: f64,
    servers: u32,
}

impl MmcQueue {
    /// A queue to which `arrivals_per_s` buyers come each second, and which has `servers` (from 1
    /// to 1,000,000), each of which serves `served_per_s` a second while it is busy. Rates are
    /// above 0.
    ///
    /// # Errors
    /// What is out of bounds; or that the line would grow without end, since as much comes as can
    /// be served, or more.
    pub fn new(arrivals_per_s: f64, served_per_s: f64, servers: u32) -> Result<Self, String> {
        let rate = |rate: f64| rate.is_finite() && rate > 0.0;
        if !rate(arrivals_per_s) || !rate(served_per_s) {
            return Err("rates must be numbers above 0".into());
        }
        if !(1..=MOST_SERVERS).contains(&servers) {
            return Err(format!("there must be from 1 to {MOST_SERVERS} servers"));
        }
        let queue = Self { arrivals_per_s, served_per_s, servers };
        if queue.utilisation() >= 1.0 {
            return Err(format!(
                "{arrivals_per_s} a second come and {} can be served: the line grows without end",
                f64::from(servers) * served_per_s
            ));
        }
        Ok(queue)
    }

    /// How much of their time the servers are busy: a share below 1.
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        self.arrivals_per_s / (f64::from(self.servers) * self.served_per_s)
    }

    /// How likely a buyer finds all servers busy and has to wait: Erlang C.
    ///
    /// By way of Erlang B, whose recursion over the number of servers, B(k) = a·B(k−1) / (k +
    /// a·B(k−1)), adds, multiplies and divides positive numbers only. The formula of the textbooks
    /// divides powers by factorials, which overflow beyond 170 servers.
    #[must_use]
    pub fn wait_probability(&self) -> f64 {
        let offered = self.arrivals_per_s / self.served_per_s;
        let blocked = (1..=self.servers).fold(1.0, |blocked, servers| {
            let weight = offered * blocked;
            weight / (f64::from(servers) + weight)
        });
        blocked / (1.0 - self.utilisation() * (1.0 - blocked))
    }

    /// How long a buyer stands in line on average, those who need not wait included, in seconds.
    /// Being served comes on top.
    #[must_use]
    pub fn mean_wait_s(&self) -> f64 {
        self.wait_probability() / self.slack_per_s()
    }

    /// How likely a buyer stands in line for longer than `wait_s` seconds.
    #[must_use]
    pub fn waits_longer_than(&self, wait_s: f64) -> f64 {
        self.wait_probability() * libm::exp(-self.slack_per_s() * wait_s.max(0.0))
    }

    /// How many stand in line on average, by Little's law. ("A Proof for the Queuing Formula L =
    /// λW", Operations Research 9(3), 1961.)
    #[must_use]
    pub fn mean_line(&self) -> f64 {
        self.arrivals_per_s * self.mean_wait_s()
    }

    /// How many more could be served than come, each second.
    fn slack_per_s(&self) -> f64 {
        f64::from(self.servers) * self.served_per_s - self.arrivals_per_s
    }
}

/// How likely a standard normal roll is below `x`.
#[must_use]
pub(super) fn normal_below(x: f64) -> f64 {
    // By way of the complement, which is exact where the result is tiny.
    libm::erfc(-x / SQRT_2) / 2.0
}

/// The density of the standard normal distribution at `x`.
#[must_use]
pub(super) fn normal_density(x: f64) -> f64 {
    libm::exp(-x * x / 2.0) / (2.0 * PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One server serves one a second; `offered` is the load in Erlang.
    fn queue(offered: f64, servers: u32) -> MmcQueue {
        MmcQueue::new(offered, 1.0, servers).unwrap()
    }

    fn close(value: f64, expected: f64, within: f64) {
        assert!((value - expected).abs() <= within * expected.abs(), "{value}, not {expected}");
    }

    #[test]
    fn one_server_agrees_with_the_closed_form() {
        for load in [0.01, 0.5, 0.9, 0.999] {
            let queue = MmcQueue::new(load * 200.0, 200.0, 1).unwrap();
            close(queue.wait_probability(), load, 1e-12);
            // Kleinrock (3.26) less the service time: ρ / (μ(1 − ρ)).
            close(queue.mean_wait_s(), load / (200.0 * (1.0 - load)), 1e-9);
            close(queue.mean_line(), load * load / (1.0 - load), 1e-9);
        }
    }

    #[test]
    fn erlang_c_agrees_with_exact_fractions() {
        close(queue(1.0, 2).wait_probability(), 1.0 / 3.0, 1e-14);
        close(queue(2.0, 3).wait_probability(), 4.0 / 9.0, 1e-14);
        close(queue(3.0, 4).wait_probability(), 27.0 / 53.0, 1e-14);
        // 2ρ²/(1 + ρ) of two servers.
        close(queue(1.8, 2).wait_probability(), 2.0 * 0.81 / 1.9, 1e-14);
    }

    #[test]
    fn erlang_c_agrees_with_the_tables_of_call_centres() {
        // 200 calls an hour of three minutes are 10 Erlang.
        for (servers, expected) in [(11, 0.6821), (12, 0.4494), (13, 0.2853), (14, 0.1741)] {
            close(queue(10.0, servers).wait_probability(), expected, 5e-4);
        }
    }

    #[test]
    fn erlang_c_agrees_with_the_sum_of_the_textbook_where_that_can_be_worked_out() {
        for (offered, servers) in [(0.1, 5), (7.5, 8), (40.0, 50), (95.0, 100)] {
            let mut term = 1.0;
            let mut sum = 0.0;
            for server in 0..servers {
                sum += term;
                term *= offered / f64::from(server + 1);
            }
            let waiting = term / (1.0 - offered / f64::from(servers));
            close(queue(offered, servers).wait_probability(), waiting / (sum + waiting), 1e-12);
        }
    }

    #[test]
    fn erlang_c_stays_exact_with_many_servers() {
        // Worked out in fractions of whole numbers.
        for (offered, servers, expected) in [
            (299.5, 300, 0.964_800_673_579_846_9),
            (900.0, 1000, 0.000_592_669_966_378_781_2),
            (990.0, 1000, 0.659_080_421_880_854_5),
            (999.0, 1000, 0.961_239_260_408_419_1),
        ] {
            close(queue(offered, servers).wait_probability(), expected, 1e-11);
        }
    }

    #[test]
    fn a_thousand_servers_agree_with_halfin_and_whitt() {
        // Operations Research 29(3), 1981: with a spare of β√c, P(wait) tends to 1/(1 +
        // βΦ(β)/φ(β)).
        for beta in [0.1, 0.2, 0.5, 1.0] {
            let offered = 1000.0 - beta * 1000.0_f64.sqrt();
            let limit = 1.0 / (1.0 + beta * normal_below(beta) / normal_density(beta));
            close(queue(offered, 1000).wait_probability(), limit, 0.05);
        }
        for offered in [1e-9, 1.0, 999.999_999] {
            let waits = queue(offered, 1000).wait_probability();
            assert!((0.0..1.0).contains(&waits), "{offered}: {waits}");
        }
    }

    #[test]
    fn the_tail_of_the_wait_has_the_mean_of_the_wait() {
        let queue = queue(3.0, 4);
        let step = 1e-3;
        let area: f64 = (0..40_000)
            .map(|at| step * queue.waits_longer_than((f64::from(at) + 0.5) * step))
            .sum();
        close(area, queue.mean_wait_s(), 1e-6);
    }

    #[test]
    fn a_line_without_end_has_no_mean() {
        assert!(MmcQueue::new(2.0, 1.0, 2).unwrap_err().contains("without end"));
        for (arrivals, served, servers) in [
            (0.0, 1.0, 1),
            (1.0, -1.0, 1),
            (f64::NAN, 1.0, 1),
            (1.0, f64::INFINITY, 1),
            (1.0, 2.0, 0),
        ] {
            assert!(MmcQueue::new(arrivals, served, servers).is_err());
        }
    }
}
