//! The orders that were run at a server as a tree in which a reader is the scheduler: it branches where orders part.

use std::collections::BTreeSet;

use super::transcript::{client_name, cut, timeline};
use crate::domain::buyer::Ending;
use crate::domain::settings::Settings;
use crate::explore::play_graph::{
    Interned, PlayGraph, PlayMove, PlaySource, PlayState, PlayStatus, lanes,
};
use crate::scheduler::Choice;
use crate::worlds::held::{ServerStep, choices};
use crate::worlds::words::could_happen;

/// The most orders that are kept.
const MOST_ORDERS: usize = 1_000;

/// The most that are kept beyond that because they show a finding.
const MOST_BROKEN: usize = 50;

/// The longest that a statement is told, in characters.
const MOST_SAID: usize = 80;

/// An order that was run to its end.
#[derive(Debug)]
struct KeptOrder {
    steps: Vec<ServerStep>,
    /// Its findings in words.
    findings: Vec<String>,
}

/// Orders that are kept for a page.
#[derive(Debug, Default)]
pub(in crate::explore) struct KeptOrders {
    orders: Vec<KeptOrder>,
    /// Whose step came when in each of them, and its findings. Random orders come more than once.
    known: BTreeSet<(Vec<Choice>, Vec<String>)>,
    /// Whether some were not kept.
    cut: bool,
}

impl KeptOrders {
    /// Keeps an order that was run to its end, if there is room.
    pub(in crate::explore) fn keep(&mut self, steps: &[ServerStep], findings: Vec<String>) {
        let order = (choices(steps), findings.clone());
        if self.known.contains(&order) {
            return;
        }
        let most = if findings.is_empty() { MOST_ORDERS } else { MOST_ORDERS + MOST_BROKEN };
        if self.orders.len() < most {
            self.known.insert(order);
            self.orders.push(KeptOrder { steps: steps.to_vec(), findings });
        } else {
            self.cut = true;
        }
    }

    /// The tree of these orders. `tables` are the names of what footprints number.
    pub(in crate::explore) fn tree(&self, settings: &Settings, tables: &[String]) -> PlayGraph {
        let expires = settings.faults.expiries > 0;
        let clients = settings.buyers as usize + usize::from(expires);
        let mut tree = Tree {
            statuses: Interned::new(),
            rows: Interned::new(),
            findings: Interned::new(),
            states: Vec::new(),
        };
        for order in &self.orders {
            tree.add(order, clients, settings, tables);
        }
        let rows = tree.rows.into_list();
        let mut graph = PlayGraph {
            source: PlaySource::Orders,
            clients: (0..clients).map(|place| client_name(place, settings)).collect(),
            lanes: lanes(&rows),
            statuses: tree.statuses.into_list(),
            rows,
            findings: tree.findings.into_list(),
            states: tree.states,
            cut: self.cut,
        };
        // Of orders that are not here nothing can be counted.
        if !self.cut {
            graph.count_futures();
        }
        graph
    }
}

struct Tree {
    statuses: Interned<PlayStatus>,
    rows: Interned<crate::explore::timeline::TimelineRow>,
    findings: Interned<String>,
    states: Vec<PlayState>,
}

impl Tree {
    /// Adds an order: what it has in common with others is there already.
    fn add(&mut self, order: &KeptOrder, clients: usize, settings: &Settings, tables: &[String]) {
        let mut endings: Vec<Option<Ending>> = vec![None; clients];
        let buyers = settings.buyers as usize;
        if self.states.is_empty() {
            let opening = self.state(&order.steps, &endings, buyers);
            self.states.push(opening);
        }
        let mut here = 0;
        for (at, step) in order.steps.iter().enumerate() {
            for (place, ending) in &step.left {
                endings[*place] = Some(*ending);
            }
            let choice = step.choice().to_string();
            let known = self.states[here].moves.iter().find(|next| next.choice == choice);
            here = match known.and_then(|next| next.to) {
                Some(to) => to,
                None => {
                    let to = self.states.len();
                    let after = self.state(&order.steps[at + 1..], &endings, buyers);
                    self.states.push(after);
                    let told = timeline(settings, tables, &order.steps[at..=at]);
                    let rows = told.into_iter().map(|row| self.rows.place(row)).collect();
                    let client = step.place;
                    let act = could_happen(step.statement.act);
                    let next = PlayMove { choice, client, act, rows, to: Some(to) };
                    self.states[here].moves.push(next);
                    to
                }
            };
        }
        for finding in &order.findings {
            let place = self.findings.place(finding.clone());
            let found = &mut self.states[here].findings;
            if !found.contains(&place) {
                found.push(place);
            }
        }
    }

    /// A state from which these steps follow.
    fn state(
        &mut self,
        following: &[ServerStep],
        endings: &[Option<Ending>],
        buyers: usize,
    ) -> PlayState {
        let status = |(place, ending): (usize, &Option<Ending>)| {
            let next = following.iter().find(|step| step.place == place);
            let about = match (ending, next) {
                (Some(ending), _) => ending.word().to_owned(),
                (None, Some(step)) => {
                    format!("next: {}", cut(&step.statement.text, MOST_SAID))
                }
                (None, None) if place >= buyers => String::new(),
                (None, None) => "waits".into(),
            };
            PlayStatus { about, knows: String::new(), left: ending.is_some() }
        };
        let statuses: Vec<PlayStatus> = endings.iter().enumerate().map(status).collect();
        PlayState {
            stock: Vec::new(),
            held: Vec::new(),
            clients: statuses.into_iter().map(|status| self.statuses.place(status)).collect(),
            findings: Vec::new(),
            moves: Vec::new(),
            futures: None,
        }
    }
}
