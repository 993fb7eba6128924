//! The settings that go without saying where a strategy is explored: the crowd and the faults that its claim is about.

use crate::domain::settings::{Part, Setting, Settings};
use crate::worlds::dyn_strategy::DynStrategy;

/// The settings that a strategy's claim is about, in place of the usual ones. Whether the claim's own shop is one that
/// can be is seen when flags are in their places: where it cannot, what the claim says of the shop is left out.
#[must_use]
pub fn with_claim(
    settings: Settings,
    strategy: &dyn DynStrategy,
    said: &[(&Setting, String)],
    can_be: impl Fn(&Settings) -> bool,
) -> Settings {
    let when = strategy.card().claim.when();
    let with = |is_meant: &dyn Fn(&str) -> bool| {
        let mut settings = settings.clone();
        for (name, text) in when.iter().filter(|(name, _)| is_meant(name)) {
            // Cannot fail: a test reads what every claim says.
            let _ = settings.set(name, text);
        }
        settings
    };
    let whole = with(&|_| true);
    let mut shop = whole.clone();
    // What is said wrongly is told when it is read again.
    let is_read = said.iter().all(|(setting, text)| shop.set(setting.name, text).is_ok());
    match is_read && !can_be(&shop) {
        true => with(&|name| !is_of_shop(name)),
        false => whole,
    }
}

/// Whether a setting says how large a shop is and what its buyers want.
fn is_of_shop(name: &str) -> bool {
    Setting::named(name)
        .is_some_and(|setting| matches!(setting.flag.part, Part::Shop | Part::Carts))
}

/// Where only strategies run that are about carts, and nothing else was said: two products, and both
/// in every cart.
#[must_use]
pub fn with_carts(
    settings: Settings,
    strategies: &[&dyn DynStrategy],
    said: &[(&Setting, String)],
) -> Settings {
    let sells_carts =
        |strategy: &&dyn DynStrategy| strategy.card().carts && strategy.described().is_none();
    let all_sell_carts = strategies.iter().all(sells_carts);
    let is_said = said.iter().any(|(setting, _)| setting.flag.part == Part::Carts);
    match (all_sell_carts, is_said) {
        (true, false) => Settings { items: 2, cart: 2, ..settings },
        _ => settings,
    }
}
