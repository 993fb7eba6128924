//! Settings written out, and settings made of others.

use super::{Setting, Settings};
use crate::domain::store_kind::StoreKind;
use crate::domain::verb::Verb;

impl Settings {
    /// Whether the seed makes a difference in a world that uses it only to choose what buyers want.
    #[must_use]
    pub fn has_random_wants(&self) -> bool {
        self.qty.least != self.qty.most
    }

    /// A shop of the same kind on the same store, small enough to follow every interleaving.
    #[must_use]
    pub fn small(&self) -> Self {
        let stock = self.stock.min(3).max(self.qty.most);
        let most_buyers = if stock == 1 && self.cart == 1 { 60 } else { 6 };
        Self { buyers: self.buyers.min(most_buyers), stock, ..self.without_time() }
    }

    /// The same without the settings that mean something only where ops take time.
    pub(crate) fn without_time(&self) -> Self {
        let mut settings = Self::default();
        for setting in Self::TABLE.iter().filter(|setting| Verb::Explore.takes(setting.name)) {
            // Cannot fail: the setting itself has written the text.
            let _ = (setting.set)(&mut settings, &(setting.text)(self));
        }
        settings
    }

    /// The same shop in the model, which has no tables.
    #[must_use]
    pub fn in_the_model(&self) -> Self {
        let has_no_tables = Self { stock_check: false, advisory_locks: false, ..self.clone() };
        Self { store: StoreKind::Memory, unit_rows: false, kill: 0, ..has_no_tables }
    }

    /// The calls that give these settings to a builder of the library, leaving out defaults.
    #[must_use]
    pub fn calls(&self) -> String {
        let told = Self::TABLE.iter().filter(|setting| setting.is_told(self));
        told.map(|setting| match setting.name {
            "qty" if self.has_random_wants() => {
                format!(".qty_between({}, {})", self.qty.least, self.qty.most)
            }
            _ => (setting.call)(self),
        })
        .collect()
    }

    /// The text of one of [`NAMES`](Self::NAMES); nothing for another name, or for a setting that is not set.
    #[must_use]
    pub fn value_of(&self, name: &str) -> String {
        Setting::named(name).map_or_else(String::new, |setting| (setting.text)(self))
    }

    /// Names and texts of the settings that a reader must know to repeat the race: buyers, stock,
    /// seed, and each of the others that does not have its default.
    pub(crate) fn unusual(&self) -> impl Iterator<Item = (&'static str, String)> {
        let told = Self::TABLE.iter().filter(|setting| setting.is_told(self));
        told.map(|setting| (setting.name, (setting.text)(self)))
    }

    /// The settings that were in effect, for a report: the level at which the store really runs transactions, and the number of
    /// threads where none was given.
    #[must_use]
    pub fn in_effect(&self) -> Self {
        Self { threads: Some(self.threads()), isolation: self.kept_apart(), ..self.clone() }
    }
}
