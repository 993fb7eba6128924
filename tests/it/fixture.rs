//! Rounds written by hand, so that what is audited and rendered is known to the last digit.

use oversell_sim::Report;
use oversell_sim::prelude::{Attempt, Conflict, Connection, Session, Strategy};
use oversell_sim::strategies::find;
use oversell_sim::unstable::buyer::{Ending, Visit};
use oversell_sim::unstable::command::{Command, Verb};
use oversell_sim::unstable::explore::after_race;
use oversell_sim::unstable::logbook::Logbook;
use oversell_sim::unstable::op::{Item, Order, Units, Want};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::Books;
use oversell_sim::unstable::threads::{Control, Counters, Round};

/// A visit of one attempt, 1 ms long, that begins 1 ms after the buyer before has left.
pub(crate) fn visit(buyer: u32, wanted: Units, ending: Ending) -> Visit {
    let began_ns = u64::from(buyer) * 2_000_000;
    Visit {
        ending,
        attempts: 1,
        looked: true,
        began_ns,
        last_attempt_ns: began_ns,
        ended_ns: began_ns + 1_000_000,
        ..Visit::unserved(buyer, Want::one(Item(0), wanted))
    }
}

/// A round in which each buyer wants one unit and ends like this, and the books are as they should
/// be: an order for each winner, the shelf lower by what was sold.
pub(crate) fn round(stock: Units, endings: &[Ending]) -> Round {
    let visits: Vec<_> =
        endings.iter().zip(0..).map(|(ending, buyer)| visit(buyer, 1, *ending)).collect();
    round_of(stock, visits)
}

/// The same of visits of any kind.
pub(crate) fn round_of(stock: Units, visits: Vec<Visit>) -> Round {
    let orders: Vec<_> = visits
        .iter()
        .filter_map(|visit| Some(Order { buyer: visit.buyer, want: visit.receipt()? }))
        .collect();
    let sold: Units = orders.iter().map(|order| order.want.qty).sum();
    Round {
        number: 1,
        stock,
        visits,
        books: Books { shelves: vec![stock - sold], orders, ..Books::default() },
        tally: Counters::default(),
    }
}

/// The report of one strategy's rounds.
pub(crate) fn report(name: &str, settings: &Settings, rounds: &[Round]) -> Report {
    let mut logbook = Logbook::open(&[]);
    for round in rounds {
        logbook.enter(round);
    }
    let strategy = find(name).unwrap();
    let again = Command::of(Verb::Race, strategy, settings);
    let mut run = logbook.close(name, false, again.into());
    let next = after_race(strategy, settings, &run, None, &Control::default());
    run.hint = next.map(|next| next.command(strategy));
    Report::new("memory", settings.in_effect(), vec![run])
}

/// A checkout that loses every attempt.
pub(crate) struct NeverHappy;

impl Strategy for NeverHappy {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.read(want.item).await?;
        Err(Conflict)
    }
}
