//! Settings as flags: each flag is read by the setting of its name.

use oversell_sim::entrant::Entrant;
use oversell_sim::error::Error;
use oversell_sim::settings::Settings;

/// A reader for one setting: tries the text and keeps it.
pub(super) fn setting(name: &'static str) -> impl Fn(&str) -> Result<String, String> + Clone {
    move |text| Settings::default().set(name, text).map(|()| text.to_owned())
}

/// These settings, with the flags that were given in their place.
pub(super) fn applied(
    mut settings: Settings,
    flags: &[(&str, &Option<String>)],
) -> Result<Settings, Error> {
    for (name, text) in flags {
        if let Some(text) = text {
            settings.set(name, text).map_err(|why| Error::input(format!("--{name}: {why}")))?;
        }
    }
    Ok(settings)
}

/// The settings that a strategy's claim is about, in place of the usual ones.
pub(super) fn with_claim(mut settings: Settings, entrant: &dyn Entrant) -> Settings {
    for (name, text) in entrant.card().claim.when() {
        // Cannot fail: a test reads what every claim says.
        let _ = settings.set(name, text);
    }
    settings
}

/// Where only strategies run that are about carts, and nothing else was said: two products, and both
/// in every cart.
pub(super) fn with_carts(
    settings: Settings,
    entrants: &[&dyn Entrant],
    items: &Option<String>,
    cart: &Option<String>,
) -> Settings {
    let all_sell_carts = entrants.iter().all(|entrant| entrant.card().carts);
    match (all_sell_carts, items, cart) {
        (true, None, None) => Settings { items: 2, cart: 2, ..settings },
        _ => settings,
    }
}
