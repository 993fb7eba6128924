//! A checkout of a file, or an application, in a scenario: `checkout = "shop.toml"`, `app = "shop.toml"`.

use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use super::search::applied;
use super::{Mistake, SaidSetting, switch};
use crate::base::text::document::Fault;
use crate::base::text::printable::printable;
use crate::describe::app::App;
use crate::describe::checkout::Checkout;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;

/// The keys that name it.
pub(super) const KEYS: [&str; 3] = ["checkout", "app", "same_buyer"];

/// Refuses a file that is no scenario but describes a checkout, or an application.
pub(super) fn refuse_other_file(table: &DeTable<'_>) -> Result<(), Fault> {
    let describes = |name: &str| {
        let (key, value) = table.get_key_value(name)?;
        let value = value.get_ref();
        (value.as_table().is_some() || value.as_array().is_some()).then(|| key.span())
    };
    let (span, name, what, flag) = if let Some(span) = describes("app") {
        (span, "app", "an application's", "doctor --app")
    } else if let Some((span, name)) =
        ["step", "audit"].into_iter().find_map(|name| Some((describes(name)?, name)))
    {
        (span, name, "a checkout's", "check --checkout")
    } else {
        return Ok(());
    };
    let message = format!(
        "`{name}` belongs in {what} file, and this is read as a scenario; try `{flag} FILE`"
    );
    Err(Fault { span, message })
}

/// A checkout that the file names.
pub(super) struct Described {
    pub(super) checkout: &'static Checkout,
    /// The key that names it, and where it stands.
    pub(super) key: (&'static str, Range<usize>),
}

impl Described {
    /// Reads the file that `checkout` or `app` names, relative to `folder`; none if there is no such key.
    pub(super) fn read(table: &DeTable<'_>, folder: &Path) -> Result<Option<Self>, Mistake> {
        let (mut found, mut is_same_buyer) = (None, None);
        for (key, value) in table {
            let Some(name) = KEYS.into_iter().find(|name| key.get_ref() == name) else { continue };
            if name == "same_buyer" {
                is_same_buyer = Some((switch(name, value)?, key.span()));
                continue;
            }
            if found.replace((name, key.span(), value)).is_some() {
                let message = "`checkout` and `app` are two shops: name one of them".to_owned();
                return Err(Fault { span: key.span(), message }.into());
            }
        }
        if let (Some((_, span)), None | Some(("checkout", ..))) = (&is_same_buyer, &found) {
            let message = "`same_buyer` is for an application; name its file with `app`".to_owned();
            return Err(Fault { span: span.clone(), message }.into());
        }
        let Some((name, key, value)) = found else { return Ok(None) };
        let fault = |message| Fault { span: value.span(), message };
        let Some(path) = value.get_ref().as_str() else {
            return Err(fault(format!("`{name}` must be a path in quotes")).into());
        };
        let path = folder.join(path);
        if !path.is_file() {
            let message = format!(
                "`{name}`: there is no file {}; a path is relative to the scenario's folder",
                printable(&path.display().to_string())
            );
            return Err(fault(message).into());
        }
        let checkout = match name {
            "app" => App::read(&path),
            _ if App::is_in(&path) => {
                let message = format!(
                    "{} is an application's: write `app`",
                    printable(&path.display().to_string())
                );
                return Err(Fault { span: key, message }.into());
            }
            _ => Checkout::read(&path),
        };
        let checkout = checkout.map_err(Mistake::Elsewhere)?;
        let is_same_buyer = is_same_buyer.is_some_and(|(is_on, _)| is_on);
        let checkout = Checkout { is_same_buyer, ..checkout }.kept();
        Ok(Some(Self { checkout, key: (name, key) }))
    }

    /// Its settings: those of its own file, with those of the scenario in their place.
    pub(super) fn settings(
        &self,
        usual: Settings,
        said: &[SaidSetting],
        is_race: bool,
    ) -> Result<Settings, Fault> {
        let Self { checkout, .. } = self;
        for one in said {
            let name = one.setting.name;
            let fault = |message| Fault { span: one.key.clone(), message };
            checkout.check_setting(one.setting, &format!("`{name}`")).map_err(fault)?;
            if checkout.app.is_some() && name == "store" {
                let path = checkout.path;
                return Err(fault(format!("`store`: {path} says itself where everything is")));
            }
            let is_elsewhere = checkout.store == StoreKind::Http && checkout.app.is_none();
            if is_race && is_elsewhere && ["relaxed", "isolation"].contains(&name) {
                return Err(fault(format!(
                    "`{name}`: the shop runs already, and has its own database; leave it out"
                )));
            }
        }
        let settings = applied(checkout.applied(usual), said)?;
        let store = said.iter().find(|one| one.setting.name == "store");
        checkout.check_store(settings.store).map_err(|_| Fault {
            span: store.map_or(0..0, |one| one.value.clone()),
            message: format!(
                "`store`: {} is written for {}, not {}; leave it out",
                checkout.path, checkout.store, settings.store
            ),
        })?;
        Ok(settings)
    }
}
