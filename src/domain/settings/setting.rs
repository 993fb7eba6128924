//! What the table says of each setting, and what is made of it.

use super::Settings;
use crate::domain::store_kind::StoreKind;

/// A world in which a setting means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// Real threads: `race`.
    Threads,
    /// The model, one step at a time: `explore`, `replay` and `play`.
    Stepped,
    /// A real server, one statement at a time: `explore` and `replay`.
    Held,
    /// Virtual time: `simulate`.
    Timed,
}

/// What a setting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// How large the shop is, and what its buyers want.
    Shop,
    /// Carts of several products.
    Carts,
    /// How buyers come, and how they go on.
    Buyers,
    /// Where stock lives.
    Server,
    /// How far transactions are kept apart.
    Transactions,
    /// Tables of ours.
    Tables,
    /// A private server.
    Private,
    /// What runs out at a real store.
    Timers,
    /// What goes wrong on purpose.
    Faults,
}

/// What the table says of a setting beside its type, default and bounds.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// What it is about.
    pub part: Part,
    /// Whether a value may begin with a dash, so that a number below zero is refused as a value and not as a flag.
    pub takes_dashes: bool,
    /// The flag's short form.
    pub short: Option<char>,
    /// What stands for the value in help texts; a switch has none.
    pub value: Option<&'static str>,
    /// The help text of `race`, and of every command that has none of its own; `{default}` is the default.
    pub help: &'static str,
    /// The help text of `explore`, `replay` and `play`.
    pub help_of_explore: Option<&'static str>,
    /// To which stores it means something.
    pub stores: fn(StoreKind) -> bool,
    /// Whether it is always said how a run is repeated, even if it has its default.
    pub is_always_said: bool,
}

impl Flag {
    /// A switch.
    pub(super) const SWITCH: Self = Self {
        part: Part::Shop,
        takes_dashes: false,
        short: None,
        value: None,
        help: "",
        help_of_explore: None,
        stores: |_| true,
        is_always_said: false,
    };

    /// A number.
    pub(super) const NUMBER: Self = Self { value: Some("N"), takes_dashes: true, ..Self::SWITCH };

    /// A duration.
    pub(super) const DURATION: Self = Self { value: Some("DURATION"), ..Self::NUMBER };
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The name of its flag and of its scenario key.
    pub name: &'static str,
    /// Where it means something.
    pub worlds: &'static [World],
    /// Its flag.
    pub flag: Flag,
    /// Sets it from a text.
    pub(super) set: fn(&mut Settings, &str) -> Result<(), String>,
    /// Checks its bounds.
    pub(super) check: fn(&Settings) -> Result<(), String>,
    /// Its value as a text.
    pub(super) text: fn(&Settings) -> String,
    /// The call of a builder that sets it, such as `.stock(1)`.
    pub(super) call: fn(&Settings) -> String,
}

impl Setting {
    /// The setting of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Settings::TABLE.iter().find(|setting| setting.name == name)
    }

    /// Whether it means something in one of these worlds.
    #[must_use]
    pub fn is_in(&self, worlds: &[World]) -> bool {
        self.worlds.iter().any(|world| worlds.contains(world))
    }

    /// Whether it counts a fault.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        self.flag.part == Part::Faults
    }

    /// Whether a reader must know it to repeat a run.
    pub(super) fn is_told(&self, settings: &Settings) -> bool {
        self.flag.is_always_said || (self.text)(settings) != (self.text)(&Settings::default())
    }
}

/// Makes [`Settings`] of the table: the structure, its defaults, its readers, what a report holds of it, and the setters of
/// the builders.
macro_rules! settings {
    (
        $(
            $(#[$about:meta])+
            $name:literal $field:ident: $type:ty = $default:expr, $(within $bounds:expr,)?
            in [$($world:ident)+] $(, set by |$given:ident: $given_type:ty| $made:expr,)?
            { $($column:ident: $said:expr,)+ ..$usual:expr }
        )+
        faults {
            $(
                $(#[$fault_about:meta])+
                $fault_name:literal $fault:ident: $help:literal
            )+
        }
    ) => {
        /// The settings of a race, of a search, or of a simulated shop.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings {
            $($(#[$about])+ pub $field: $type,)+
            /// Which faults may happen in the model, and how often.
            pub faults: Faults,
        }

        impl Default for Settings {
            /// A thousand buyers, one unit.
            fn default() -> Self {
                Self { $($field: $default,)+ faults: Faults::default() }
            }
        }

        impl Settings {
            /// The names of all settings, which are their flags and their scenario keys.
            pub const NAMES: [&'static str; [$($name,)+ $($fault_name,)+].len()] =
                [$($name,)+ $($fault_name,)+];

            /// All settings, in this order.
            pub const TABLE: &'static [Setting] = &[
                $(Setting {
                    name: $name,
                    worlds: &[$(World::$world),+],
                    flag: Flag { $($column: $said,)+ ..$usual },
                    set: |settings, text| {
                        settings.$field = <$type as Value>::read(text, &bounds!($($bounds)?))?;
                        Ok(())
                    },
                    check: |settings| Value::check(&settings.$field, &bounds!($($bounds)?)),
                    text: |settings| Value::text(&settings.$field),
                    call: |settings| call(stringify!($field), &settings.$field),
                },)+
                $(Setting {
                    name: $fault_name,
                    worlds: &[World::Stepped],
                    flag: Flag { part: Part::Faults, help: $help, ..Flag::NUMBER },
                    set: |settings, text| {
                        settings.faults.$fault = Value::read(text, &FAULTS)?;
                        Ok(())
                    },
                    check: |settings| Value::check(&settings.faults.$fault, &FAULTS),
                    text: |settings| Value::text(&settings.faults.$fault),
                    call: |settings| call(stringify!($fault), &settings.faults.$fault),
                },)+
            ];
        }

        /// As a report holds them: durations are nanoseconds. Faults stand elsewhere.
        impl Serialize for Settings {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let fields = [$($name),+].len();
                let mut all = serializer.serialize_struct("Settings", fields)?;
                $(all.serialize_field(stringify!($field), &Value::recorded(&self.$field))?;)+
                all.end()
            }
        }

        /// What was asked for. Durations are in nanoseconds.
        #[cfg(test)]
        #[derive(schemars::JsonSchema)]
        #[schemars(rename = "Settings")]
        #[expect(dead_code, reason = "only its schema is read")]
        struct RecordedSettings {
            $($(#[$about])+ $field: <$type as Value>::Recorded,)+
        }

        #[cfg(test)]
        impl schemars::JsonSchema for Settings {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                RecordedSettings::schema_name()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                RecordedSettings::json_schema(generator)
            }
        }

        /// The setters of a builder that has `settings`, for all settings that mean something in this world.
        macro_rules! setters {
            ($of:ident) => {
                $(crate::domain::settings::setter! {
                    $of in [$($world)+] [$(#[$about])+] $field [settings $field]
                    ($type) $(($given: $given_type) $made)?
                })+
                $(crate::domain::settings::setter! {
                    $of in [Stepped] [$(#[$fault_about])+] $fault [settings faults $fault] (u8)
                })+
            };
        }
    };
}

/// The bounds of a setting; `()` if it has none.
macro_rules! bounds {
    () => {
        ()
    };
    ($bounds:expr) => {
        $bounds
    };
}

pub(super) use {bounds, settings};
