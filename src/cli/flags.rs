//! Settings as flags: each flag is read by the setting of its name.

use std::path::Path;

use crate::base::error::Error;
use crate::describe::app::App;
use crate::describe::checkout::Checkout;
use crate::domain::settings::Settings;
use crate::worlds::dyn_strategy::DynStrategy;

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

/// A checkout that is described in a file, and its strategy.
pub(super) type Described = (&'static dyn DynStrategy, &'static Checkout);

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

/// Refuses flags about tables of ours, where a checkout has its own.
pub(super) fn check_tables(flags: &[(&str, bool)], checkout: &Checkout) -> Result<(), Error> {
    match flags.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(Error::input(format!(
            "{flag} is about tables of ours; {} has its own",
            checkout.path
        ))),
        None => Ok(()),
    }
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

/// The settings that a strategy's claim is about, in place of the usual ones. Whether the claim's own shop is one that
/// can be is seen when flags are in their places: where it cannot, what the claim says of the shop is left out.
pub(super) fn with_claim(
    settings: Settings,
    strategy: &dyn DynStrategy,
    flags: &[(&str, &Option<String>)],
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
    match applied(whole.clone(), flags) {
        Ok(said) if !can_be(&said) => with(&|name| !OF_SHOP.contains(&name)),
        // What a flag says wrongly is told when it is read again.
        _ => whole,
    }
}

/// Settings that say how large a shop is and what its buyers want.
const OF_SHOP: [&str; 6] = ["buyers", "items", "stock", "cart", "qty", "seed"];

/// Where only strategies run that are about carts, and nothing else was said: two products, and both
/// in every cart.
pub(super) fn with_carts(
    settings: Settings,
    strategies: &[&dyn DynStrategy],
    items: &Option<String>,
    cart: &Option<String>,
) -> Settings {
    let all_sell_carts = strategies.iter().all(|strategy| strategy.card().carts);
    match (all_sell_carts, items, cart) {
        (true, None, None) => Settings { items: 2, cart: 2, ..settings },
        _ => settings,
    }
}
