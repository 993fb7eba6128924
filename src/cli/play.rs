//! `play`: the person is the scheduler.

use std::io::{BufRead, IsTerminal};

use clap::Args;
use oversell_sim::error::Error;
use oversell_sim::explore::{Game, Outlook, Schedule};
use oversell_sim::render;
use oversell_sim::text::quantity::of;

use super::Ended;
use super::meaning::check_level_of;
use super::output::to_stdout;
use super::shop::ShopFlags;

/// What `play` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlayArgs {
    #[command(flatten)]
    shop: ShopFlags,
}

/// The longest line read.
const LONGEST_LINE: u64 = 4096;

pub(crate) fn run(args: &PlayArgs) -> Result<Ended, Error> {
    let strategy = args.shop.strategy()?;
    let settings = args.shop.settings(strategy)?;
    check_level_of(strategy, args.shop.level()?)?;
    let mut game = Game::new(strategy, &settings)?;
    to_stdout(&format!(
        "You are the scheduler: say whose step comes next. {}\n\n{}",
        aim(settings.stock),
        position(&mut game)
    ))?;
    let mut input = std::io::stdin().lock();
    let echoes = !std::io::stdin().is_terminal();
    loop {
        to_stdout(&prompt(&mut game))?;
        let mut line = String::new();
        let mut limited = std::io::Read::take(&mut input, LONGEST_LINE);
        let read = limited.read_line(&mut line);
        if !matches!(read, Ok(1..)) {
            to_stdout("\n")?;
            break;
        }
        let said = line.trim();
        if echoes {
            to_stdout(&format!("{said}\n"))?;
        }
        match said.to_lowercase().as_str() {
            "" => {}
            "q" | "quit" => break,
            "u" | "undo" => {
                let text =
                    if game.undo() { position(&mut game) } else { "Nothing to undo.\n".into() };
                to_stdout(&text)?;
            }
            "r" | "reset" => {
                game.reset();
                to_stdout(&position(&mut game))?;
            }
            "h" | "hint" => to_stdout(&hint(&mut game))?,
            _ => to_stdout(&steps(&mut game, said))?,
        }
        if !game.findings().is_empty() {
            break;
        }
        if game.is_over() {
            to_stdout(" all buyers have left and nothing is broken: undo or reset to try again\n")?;
        }
    }
    to_stdout(&verdict(&mut game))?;
    Ok(Ended::Well)
}

fn aim(stock: i32) -> String {
    match stock {
        1 => "Sell the same unit twice.".into(),
        more => format!("Sell more than the {} there are.", of(more.unsigned_abs().into(), "unit")),
    }
}

/// The stock, and what each buyer is about to do.
fn position(game: &mut Game<'_>) -> String {
    let stock: Vec<String> = game.stock().iter().map(ToString::to_string).collect();
    let mut text = format!(" stock {}", stock.join(", "));
    for status in game.actors() {
        text += &format!("     {}: {}", status.actor, status.about);
    }
    text + "\n"
}

fn prompt(game: &mut Game<'_>) -> String {
    let movers = game.actors().into_iter().filter(|status| status.can_move);
    let words: Vec<String> = movers
        .map(|status| status.actor.to_string())
        .chain(["undo", "hint", "reset", "quit"].map(str::to_owned))
        .collect();
    format!(" next ({})? ", words.join(", "))
}

/// One step or several, as far as they can be made.
fn steps(game: &mut Game<'_>, said: &str) -> String {
    let known = said.parse::<Schedule>().or_else(|_| said.to_uppercase().parse::<Schedule>());
    let schedule = match known {
        Ok(schedule) => schedule,
        Err(why) => return format!(" {why}\n"),
    };
    for actor in schedule.0 {
        if let Err(why) = game.step(actor) {
            return format!(" {why}\n{}", position(game));
        }
        if !game.findings().is_empty() {
            break;
        }
    }
    position(game)
}

fn hint(game: &mut Game<'_>) -> String {
    match game.hint() {
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
    }
}

/// What came of it, and whether there was a shorter way.
fn verdict(game: &mut Game<'_>) -> String {
    let rows = game.rows();
    let mut text = String::new();
    if !rows.is_empty() {
        text += &format!("\n{}", render::timeline(&rows));
    }
    let findings = game.findings();
    text += &match (findings.first(), game.shortest()) {
        (Some(finding), Outlook::Way(way)) if way.len() < rows.len() => format!(
            "\n Broken: {}. There is a shorter way: {}.\n",
            finding.proof,
            of(way.len() as u64, "step")
        ),
        (Some(finding), Outlook::Unknown) => format!("\n Broken: {}.\n", finding.proof),
        (Some(finding), _) => format!("\n Broken: {}. No way is shorter.\n", finding.proof),
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
    };
    text
}
