//! Settings as flags: what the table of settings says of each becomes a flag, and is read by the setting.

use std::marker::PhantomData;
use std::path::Path;

use crate::base::error::Error;
use crate::command::Verb;
use crate::describe::app::App;
use crate::describe::checkout::Checkout;
use crate::domain::settings::{Flag, Part, Setting, Settings};
use crate::worlds::dyn_strategy::DynStrategy;
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};

/// Settings whose flags were given, each with its text.
pub(super) type Given = Vec<(&'static Setting, String)>;

/// Which flags a command offers at one place: those of some parts of the table that mean something to it.
pub(super) trait Offer: Clone {
    /// The command.
    const VERB: Verb;
    /// The parts, in the order of the help text; those that stand together come in the order of the table.
    const PARTS: &'static [&'static [Part]];
    /// What stands above them in the help text.
    const HEADING: &'static str;

    /// The settings, in the order of the help text.
    fn settings() -> impl Iterator<Item = &'static Setting> {
        let of = |parts: &'static &[Part]| {
            let all = Settings::TABLE.iter().filter(|setting| Self::VERB.takes(setting.name));
            all.filter(|setting| parts.contains(&setting.flag.part))
        };
        Self::PARTS.iter().flat_map(of)
    }
}

/// The flags of an [`Offer`].
#[derive(Clone, Debug)]
pub(super) struct SettingFlags<O> {
    given: Given,
    offer: PhantomData<O>,
}

impl<O> SettingFlags<O> {
    /// The settings whose flags were given.
    pub(super) fn given(&self) -> &[(&'static Setting, String)] {
        &self.given
    }

    /// The text of one of them, if it was given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.given.iter().find(|(setting, _)| setting.name == name);
        found.map(|(_, text)| text.as_str())
    }
}

impl<O: Offer> Args for SettingFlags<O> {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(O::settings().map(|setting| arg(setting, O::VERB).help_heading(O::HEADING)))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl<O: Offer> FromArgMatches for SettingFlags<O> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let text = |setting: &Setting| match setting.flag.value {
            Some(_) => matches.get_one(setting.name).cloned(),
            None => matches.get_flag(setting.name).then(|| "true".to_owned()),
        };
        let given = O::settings().filter_map(|setting| Some((setting, text(setting)?))).collect();
        Ok(Self { given, offer: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        Self::from_arg_matches(matches).map(|flags| *self = flags)
    }
}

/// The flag of a setting.
pub(super) fn arg(setting: &'static Setting, verb: Verb) -> Arg {
    let Flag { short, value, takes_dashes, help, help_of_explore, .. } = setting.flag;
    let help = if verb == Verb::Race { help } else { help_of_explore.unwrap_or(help) };
    let default = Settings::default().value_of(setting.name);
    let arg = Arg::new(setting.name).long(setting.name).help(help.replace("{default}", &default));
    let arg = match short {
        Some(short) => arg.short(short),
        None => arg,
    };
    match value {
        Some(value) => {
            let arg = arg.value_name(value).allow_hyphen_values(takes_dashes);
            arg.value_parser(self::setting(setting.name))
        }
        None => arg.action(ArgAction::SetTrue),
    }
}

/// A reader for the setting of this name: tries the text and keeps it.
pub(super) fn setting(name: &'static str) -> impl Fn(&str) -> Result<String, String> + Clone {
    move |text| Settings::default().set(name, text).map(|()| text.to_owned())
}

/// These settings, with the flags that were given in their place.
pub(super) fn applied(
    mut settings: Settings,
    flags: &[(&Setting, String)],
) -> Result<Settings, Error> {
    for (Setting { name, .. }, text) in flags {
        settings.set(name, text).map_err(|why| Error::input(format!("--{name}: {why}")))?;
    }
    Ok(settings)
}

/// A checkout that is described in a file, and its strategy.
pub(super) type DescribedCheckout = (&'static dyn DynStrategy, &'static Checkout);

/// A checkout that is described in a file. It is read once, and kept for as long as the process runs.
pub(super) fn checkout(path: &Path) -> Result<DescribedCheckout, Error> {
    Checkout::read(path).map(kept)
}

/// The same of an application's; all come in the name of one buyer, if so.
pub(super) fn app(path: &Path, is_same_buyer: bool) -> Result<DescribedCheckout, Error> {
    App::read(path).map(|checkout| kept(Checkout { is_same_buyer, ..checkout }))
}

fn kept(checkout: Checkout) -> DescribedCheckout {
    let checkout = checkout.kept();
    (checkout, checkout)
}

/// These settings as a described checkout has them, with the flags that were given in their place.
pub(super) fn described(
    checkout: &Checkout,
    settings: Settings,
    flags: &[(&Setting, String)],
) -> Result<Settings, Error> {
    for (setting, _) in flags {
        checkout.check_setting(setting, &format!("--{}", setting.name)).map_err(Error::Input)?;
    }
    applied(checkout.applied(settings), flags)
}
