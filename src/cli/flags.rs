//! Settings as flags: each flag is read by the setting of its name.

use std::path::Path;

use oversell_sim::app::App;
use oversell_sim::checkout::Checkout;
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

/// Settings that mean something to a described checkout.
const OF_CHECKOUTS: [&str; 15] = [
    "buyers",
    "stock",
    "qty",
    "retries",
    "seed",
    "isolation",
    "threads",
    "rounds",
    "think",
    "backoff",
    "patience",
    "store",
    "connections",
    "relaxed",
    "kill",
];

/// A checkout that is described in a file, and its entrant.
pub(super) type Described = (&'static dyn Entrant, &'static Checkout);

/// A checkout that is described in a file. It is read once, and kept for as long as the process runs.
pub(super) fn checkout(path: &Path) -> Result<Described, Error> {
    Checkout::read(path).map(kept)
}

/// The same of an application's; all come in the name of one buyer, if so.
pub(super) fn app(path: &Path, is_same_buyer: bool) -> Result<Described, Error> {
    App::read(path).map(|checkout| kept(Checkout { is_same_buyer, ..checkout }))
}

fn kept(checkout: Checkout) -> Described {
    let checkout: &Checkout = Box::leak(Box::new(checkout));
    (checkout, checkout)
}

/// These settings as a described checkout has them, with the flags that were given in their place.
pub(super) fn described(
    checkout: &Checkout,
    settings: Settings,
    flags: &[(&str, &Option<String>)],
) -> Result<Settings, Error> {
    for (name, _) in flags.iter().filter(|(_, text)| text.is_some()) {
        if !OF_CHECKOUTS.contains(name) {
            return Err(Error::input(format!(
                "--{name} means nothing to a checkout that is described in a file; leave it out"
            )));
        }
        if *name == "qty" && !checkout.steps_know("qty") {
            return Err(Error::input(format!(
                "--qty: {} does not ask for it; write :qty where a step takes units",
                checkout.path
            )));
        }
        if *name == "stock" && !checkout.setup_knows("stock") {
            return Err(Error::input(format!(
                "--stock: {} does not ask for it; write a statement with :stock into its `setup`",
                checkout.path
            )));
        }
    }
    applied(checkout.applied(settings), flags)
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
