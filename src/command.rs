//! Commands to paste: settings as flags, and words as a shell reads them.
//!
//! Every command line that is printed is made here, so that each of them carries every setting that its command takes
//! and that is not as it would be if nothing were said. A setting that this file does not know is said in full.

pub use crate::base::text::server_url::without_password;
pub use crate::domain::verb::Verb;

use std::borrow::Cow;
use std::fmt;

use crate::base::text::printable::printable;
use crate::describe::checkout::Checkout;
use crate::domain::op::OpKind;
use crate::domain::settings::{Setting, Settings};
use crate::domain::store_kind::StoreKind;
use crate::stores::Address;
use crate::worlds::dyn_strategy::DynStrategy;

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    words: Vec<String>,
}

impl Command {
    /// The program with one of its commands.
    #[must_use]
    pub fn new(verb: &str) -> Self {
        Self { words: vec!["oversell-sim".to_owned(), verb.to_owned()] }
    }

    /// A command about a checkout in a shop of these settings.
    #[must_use]
    pub fn of(verb: Verb, strategy: &dyn DynStrategy, settings: &Settings) -> Self {
        let command = Self::new(verb.name());
        match strategy.described() {
            Some(checkout) => command.described(verb, &checkout, settings),
            None => command.strategy(verb, strategy, settings),
        }
    }

    /// What the command takes for granted of a strategy depends on the strategy's card; that much is always said.
    fn strategy(self, verb: Verb, strategy: &dyn DynStrategy, settings: &Settings) -> Self {
        let card = strategy.card();
        let usual = Settings::default();
        let is_at_server = settings.store != StoreKind::Memory;
        let claimed = |name: &str| card.claim.when().iter().any(|(known, _)| *known == name);
        let must_be_said = |name: &str| match name {
            "buyers" | "stock" => true,
            "seed" => verb == Verb::Race || settings.has_random_wants(),
            "items" | "cart" if card.carts => true,
            // At a server nothing goes wrong on purpose.
            fault if is_fault(fault) => claimed(fault) && !is_at_server,
            name => verb != Verb::Race && claimed(name),
        };
        // Where there are no transactions, or but one level, none is taken.
        let has_level = card.names(OpKind::Transaction)
            && !matches!(settings.store, StoreKind::Sqlite | StoreKind::Redis | StoreKind::Etcd);
        let is_told = |name: &str| match name {
            "seed" => must_be_said(name),
            "isolation" if !has_level && verb != Verb::Race => false,
            _ => must_be_said(name) || differs(settings, &usual, name),
        };
        self.flag("strategy", card.name).settings(verb, settings, is_told)
    }

    /// Of a described checkout its file says the rest, and its shop decides how many products there are.
    fn described(self, verb: Verb, checkout: &Checkout, settings: &Settings) -> Self {
        let usual = checkout.applied(Settings::default());
        let is_told = |name: &str| match name {
            "items" => false,
            "buyers" => true,
            "stock" if !checkout.setup_knows("stock") => false,
            "seed" => {
                (verb == Verb::Race || settings.has_random_wants()) && settings.seed != usual.seed
            }
            "store" if settings.store == StoreKind::Memory => false,
            _ => differs(settings, &usual, name),
        };
        let flag = if checkout.app.is_some() { "app" } else { "checkout" };
        let command = self.flag(flag, checkout.path);
        let command = if checkout.is_same_buyer { command.switch("same-buyer") } else { command };
        command.settings(verb, settings, is_told)
    }

    /// Every setting that the command takes and that has to be told.
    fn settings(self, verb: Verb, settings: &Settings, is_told: impl Fn(&str) -> bool) -> Self {
        let names = Settings::NAMES.into_iter().filter(|name| verb.takes(name) && is_told(name));
        names.fold(self, |command, name| match settings.value_of(name).as_str() {
            "true" => command.switch(name),
            // A switch that is off cannot be said, and need not be.
            "false" => command,
            value => command.flag(name, value),
        })
    }

    /// Its words, the program's name first.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// One word more, such as a file.
    #[must_use]
    pub fn word(mut self, word: &str) -> Self {
        // What begins with a dash would be a flag.
        let dashed = word.starts_with('-');
        self.words.push(if dashed { format!("./{word}") } else { word.to_owned() });
        self
    }

    /// A flag with its value.
    #[must_use]
    pub fn flag(mut self, name: &str, value: &str) -> Self {
        if value.starts_with('-') {
            self.words.push(format!("--{name}={value}"));
        } else {
            self.words.extend([format!("--{name}"), value.to_owned()]);
        }
        self
    }

    /// A flag without a value.
    #[must_use]
    pub fn switch(mut self, name: &str) -> Self {
        self.words.push(format!("--{name}"));
        self
    }

    /// The same for any number of buyers.
    #[must_use]
    pub fn for_any_buyers(mut self) -> Self {
        if let Some(place) = self.words.iter().position(|word| word == "--buyers") {
            self.words.splice(place + 1..place + 2, ["any".to_owned()]);
        }
        self
    }

    /// The same at this address. A password is never printed.
    #[must_use]
    pub fn at(mut self, address: &Address) -> Self {
        self.words.extend(address_words(address));
        self
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, word) in self.words.iter().enumerate() {
            let gap = if place == 0 { "" } else { " " };
            write!(f, "{gap}{}", quoted(word))?;
        }
        Ok(())
    }
}

impl From<Command> for String {
    fn from(command: Command) -> Self {
        command.to_string()
    }
}

/// Whether a setting counts a fault.
fn is_fault(name: &str) -> bool {
    Setting::named(name).is_some_and(Setting::is_fault)
}

/// Whether a setting is another there.
fn differs(settings: &Settings, usual: &Settings, name: &str) -> bool {
    settings.value_of(name) != usual.value_of(name)
}

/// The flags of an address.
fn address_words(address: &Address) -> impl Iterator<Item = String> {
    let url = address.url.iter().flat_map(|url| ["--url".to_owned(), url.to_string()]);
    let allowed = [
        ("--allow-remote", address.allow_remote),
        ("--allow-triggers", address.allow_triggers),
        ("--keep", address.keep),
    ];
    let allowed = allowed.into_iter().filter(|(_, is_allowed)| *is_allowed);
    url.chain(allowed.map(|(flag, _)| flag.to_owned()))
}

/// A command line that was made where the address was not known, at this address.
#[must_use]
pub fn located(command: &str, address: &Address) -> String {
    let words = address_words(address).map(|word| format!(" {}", quoted(&word)));
    std::iter::once(command.to_owned()).chain(words).collect()
}

/// A word as a shell reads it.
#[must_use]
pub fn quoted(word: &str) -> Cow<'_, str> {
    // Within `'…'` a newline or an escape would be itself, and a terminal would obey it.
    if matches!(printable(word), Cow::Owned(_)) {
        return Cow::Owned(as_escapes(word));
    }
    // No argument has a zero byte in it: the operating system ends it there.
    match shlex::try_quote(word).unwrap_or(Cow::Borrowed("")) {
        // As a person would: all of it, and not only the signs that need it.
        Cow::Owned(_) if !word.contains('\'') => Cow::Owned(format!("'{word}'")),
        quoted => quoted,
    }
}

/// A word in the form `$'…'`, which bash and zsh read: a terminal obeys nothing in it.
fn as_escapes(word: &str) -> String {
    let sign = |sign: char| match sign {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\\' | '\'' => format!("\\{sign}"),
        sign if sign.is_ascii() && sign.is_control() => format!("\\x{:02x}", u32::from(sign)),
        sign if matches!(printable(sign.encode_utf8(&mut [0; 4])), Cow::Owned(_)) => {
            format!("\\U{:08x}", u32::from(sign))
        }
        sign => sign.to_string(),
    };
    format!("$'{}'", word.chars().map(sign).collect::<String>())
}
