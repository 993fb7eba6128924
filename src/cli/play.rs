//! `play`: the person is the scheduler.

use std::collections::VecDeque;

use super::Ended;
use super::interrupt::{self, told_unless_stopped};
use super::keyboard::{Keyboard, Typed};
use super::keys::{self, Asked};
use super::meaning::{check_level, check_level_of};
use super::output::{tell_password, to_stdout};
use super::progress::Progress;
use super::shop::{ServerFlags, ShopFlags};
use super::width;
use crate::base::error::Error;
use crate::base::text::printable::printable;
use crate::base::text::quantity::of;
use crate::domain::store_kind::StoreKind;
use crate::explore::{self, Outlook, Playable};
use crate::render;
use crate::scheduler::{Bounds, Choice, Person, Said, run_all};
use clap::Args;

/// What `play` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlayArgs {
    #[command(flatten)]
    shop: ShopFlags,
    #[command(flatten)]
    server: ServerFlags,
}

/// Every execution may be as long as the person likes.
const WHOLE: Bounds = Bounds { most_steps: usize::MAX, cuts_futile: false };

pub(crate) fn run(args: &PlayArgs) -> Result<Ended, Error> {
    let strategy = args.shop.strategy()?;
    let settings = args.shop.settings_at(strategy, &args.server)?;
    let control = interrupt::control()?;
    if settings.store == StoreKind::Memory {
        check_level_of(strategy, args.shop.level()?)?;
        return explore::play(strategy, &settings, |shop| play(shop, settings.stock));
    }
    check_level("--isolation", args.shop.level()?, &settings)?;
    let address = args.server.address();
    tell_password(&address);
    let progress = Progress { name: "starting", unit: "steps", all: None, wanted: true };
    let opened = progress.watch(&control, || {
        let server = explore::server_for(strategy, &settings, &address, &control)?;
        let settings = explore::as_furnished(strategy, settings.clone(), &*server)?;
        Ok((server, settings))
    });
    let Some((server, settings)) =
        told_unless_stopped(opened, &control, "before the shop was open")?
    else {
        return Ok(Ended::Interrupted);
    };
    let counts = strategy.described().is_none_or(|checkout| checkout.counts_units());
    let stock = if counts { settings.stock } else { 0 };
    explore::play_at_server(strategy, &settings, &*server, |shop| play(shop, stock))
}

/// Lets the person choose every step, until something is found, the person has enough, or Ctrl-C comes.
fn play<P: Playable>(shop: &mut P, stock: i32) -> Result<Ended, Error> {
    to_stdout(&format!("You are the scheduler: say whose step comes next. {}\n\n", aim(stock),))?;
    let mut table = Conversation {
        keyboard: Keyboard::open()?,
        shown: None,
        named: VecDeque::new(),
        is_interrupted: false,
    };
    let mut person = Person::new(|so_far: &[Choice], shop: &mut P| table.ask(so_far, shop));
    run_all(shop, &mut person, WHOLE, &|| false, |_, _| Ok(true))?;
    let said = verdict(shop)?;
    to_stdout(&said)?;
    Ok(if table.is_interrupted { Ended::Interrupted } else { Ended::Well })
}

/// What was said to the person and by the person.
struct Conversation {
    keyboard: Keyboard,
    /// How far the shop was when its position was shown last.
    shown: Option<Vec<Choice>>,
    /// Choices that the person has named and that have not been made.
    named: VecDeque<Choice>,
    /// Whether Ctrl-C ended it.
    is_interrupted: bool,
}

impl Conversation {
    /// What the person says here. Shows where the shop stands, if that has changed.
    fn ask<P: Playable>(&mut self, so_far: &[Choice], shop: &mut P) -> Result<Said, Error> {
        let is_found = !shop.findings()?.is_empty();
        match self.named.pop_front().filter(|_| !is_found) {
            Some(choice) if shop.can_happen(choice) => return Ok(Said::Take(choice)),
            Some(choice) => {
                self.named.clear();
                self.shown = None;
                to_stdout(&format!(
                    " {choice} cannot come next: {}\n",
                    printable(&shop.why_not(choice))
                ))?;
            }
            None => {}
        }
        if self.shown.as_deref() != Some(so_far) {
            to_stdout(&position(shop))?;
            self.shown = Some(so_far.to_vec());
        }
        if is_found {
            return Ok(Said::Quit);
        }
        if shop.is_over() {
            to_stdout(" all buyers have left and nothing is broken: undo or reset to try again\n")?;
        }
        loop {
            to_stdout(&prompt(shop))?;
            let line = match self.keyboard.next()? {
                Typed::Line(line) => line,
                Typed::End => return Ok(Said::Quit),
                Typed::Interrupted => {
                    self.is_interrupted = true;
                    return Ok(Said::Quit);
                }
            };
            match keys::asked(&line, &shop.clients()) {
                Ok(Asked::Quit) => return Ok(Said::Quit),
                Ok(Asked::Help) => to_stdout(&keys::help(width::of_stdout()))?,
                Ok(Asked::Undo) if so_far.is_empty() => to_stdout(" nothing to undo\n")?,
                Ok(Asked::Undo) => return Ok(Said::Undo),
                Ok(Asked::Reset) => {
                    self.shown = None;
                    return Ok(Said::Reset);
                }
                Ok(Asked::Hint) => to_stdout(&hint(shop))?,
                Ok(Asked::Choices(choices)) if choices.is_empty() => {}
                Ok(Asked::Choices(choices)) => {
                    self.named.extend(choices);
                    return self.ask(so_far, shop);
                }
                Err(why) => to_stdout(&format!(" {}\n", printable(&why)))?,
            }
        }
    }
}

fn aim(stock: i32) -> String {
    match stock {
        1 => "Sell the same unit twice.".into(),
        // A shop that does not count units.
        0 => "Break a rule of the shop.".into(),
        more => format!("Sell more than the {} there are.", of(more.unsigned_abs().into(), "unit")),
    }
}

/// The shelf, and what each client is about to do.
fn position(shop: &mut impl Playable) -> String {
    let stock: Vec<String> = shop.stock().iter().map(ToString::to_string).collect();
    let stock = (!stock.is_empty()).then(|| format!("stock {}", stock.join(", ")));
    let clients = shop.position();
    let clients = clients.iter().map(|client| format!("{}: {}", client.actor, client.about));
    let parts: Vec<String> = stock.into_iter().chain(clients).collect();
    width::of_stdout().folded(&format!(" {}\n", printable(&parts.join("     "))), 1)
}

fn prompt(shop: &mut impl Playable) -> String {
    let can_move = shop.position().into_iter().filter(|client| client.can_move);
    let words: Vec<String> = can_move
        .map(|client| client.actor.to_string())
        .chain(keys::PROMPT.map(str::to_owned))
        .collect();
    format!(" next ({})? ", words.join(", "))
}

fn hint(shop: &mut impl Playable) -> String {
    match shop.outlook() {
        Outlook::Way(way) => match way.first() {
            Some(actor) => {
                let steps = of(way.len() as u64, "step");
                format!(" {actor} next: it can be broken in {steps}\n")
            }
            None => " it is broken already\n".into(),
        },
        Outlook::Safe => {
            " nothing goes wrong from here, whatever comes next; undo, or see that it is safe\n"
                .into()
        }
        Outlook::Unknown => {
            " nothing goes wrong soon; it is too much to look at everything\n".into()
        }
        Outlook::NotSearched => {
            " hints are for the model; leave out the server to get one\n".into()
        }
    }
}

/// What came of it, and whether there was a shorter way.
fn verdict(shop: &mut impl Playable) -> Result<String, Error> {
    let rows = shop.rows();
    let mut text = String::new();
    if !rows.is_empty() {
        text += &format!("\n{}", render::timeline(&rows, width::of_stdout()));
    }
    let findings = shop.findings()?;
    if let Some(why) = shop.unjudged() {
        return Ok(format!("{text}\n Not judged: {}.\n", printable(why)));
    }
    text += &match (findings.first(), shop.outlook_at_opening()) {
        (Some(finding), Outlook::Way(way)) if way.len() < rows.len() => format!(
            "\n Broken: {}. There is a shorter way: {}.\n",
            printable(&finding.proof),
            of(way.len() as u64, "step")
        ),
        (Some(finding), Outlook::Unknown | Outlook::NotSearched) => {
            format!("\n Broken: {}.\n", printable(&finding.proof))
        }
        (Some(finding), _) => {
            format!("\n Broken: {}. No way is shorter.\n", printable(&finding.proof))
        }
        (None, Outlook::Way(way)) => {
            let steps = of(way.len() as u64, "step");
            format!("\n Not broken this time, but it can be, in {steps}.\n")
        }
        (None, Outlook::Safe) => {
            "\n Not broken, and nothing you could have done would have.\n".into()
        }
        (None, Outlook::Unknown) => {
            "\n Not broken this time; whether it can be is too much to look at.\n".into()
        }
        (None, Outlook::NotSearched) => {
            "\n Not broken this time; explore says whether it can be.\n".into()
        }
    };
    Ok(text)
}
