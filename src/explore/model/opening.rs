//! The initial state of the model's shop.

use super::state::MOST_OF_A_KIND;
use crate::base::error::Error;
use crate::domain::op::{OpKind, Want};
use crate::domain::settings::Settings;
use crate::stores::model::Model;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::stepped::{ModelState, TransitionTable};

/// Opens the shop that the settings describe.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn open(
    table: &mut TransitionTable<'_>,
    strategy: &dyn DynStrategy,
    settings: &Settings,
) -> Result<ModelState, Error> {
    settings.check_for(&strategy.card())?;
    if settings.buyers > MOST_OF_A_KIND {
        return Err(Error::input(format!(
            "`buyers` is {}; with every interleaving it can be {MOST_OF_A_KIND} at most",
            settings.buyers
        )));
    }
    let wants: Vec<Want> = (0..settings.buyers).map(|buyer| settings.want(1, buyer)).collect();
    let has_worker = strategy.card().asks_for(|kind| kind == OpKind::Queue);
    Ok(ModelState::open(table, shop(strategy, settings), &wants, has_worker))
}

/// The store of that shop in its initial state.
pub(super) fn shop(strategy: &dyn DynStrategy, settings: &Settings) -> Model {
    let card = strategy.card();
    Model {
        isolation: settings.isolation,
        faults: settings.faults,
        ..Model::for_ops(settings.items, settings.stock, |kind| card.names(kind))
    }
}

/// Checks that a strategy which looks for orders says so on its card. If it does not, the model takes the writing of an
/// order for a step that no other buyer can see.
pub(super) fn check_card(
    table: &TransitionTable<'_>,
    strategy: &dyn DynStrategy,
) -> Result<(), Error> {
    if !table.was_asked_in_vain() {
        return Ok(());
    }
    Err(Error::input(format!(
        "{} looks for orders, and its card does not say so: let `about()` name what it needs, with \
         `OpKind::FindOrder` or `OpKind::CountLeft` among it",
        strategy.card().name
    )))
}
