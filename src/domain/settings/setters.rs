//! The setters of the builders: one setter of the table, and only in the worlds in which it means something.

use crate::domain::buyer::Demand;
use crate::domain::op::Units;

/// Makes a setter, if the setting means something in this world: `Threads in [Stepped Threads] …` makes one, `Threads in
/// [Stepped] …` makes none. Then come the documentation, the name, the field's path, its type, and how it is made of what the
/// caller gives, if that has another type.
macro_rules! setter {
    ($world:ident in [] $($setting:tt)*) => {};
    (Threads in [Threads $($more:ident)*] $($setting:tt)*) => {
        crate::domain::settings::setter! { @make $($setting)* }
    };
    (Stepped in [Stepped $($more:ident)*] $($setting:tt)*) => {
        crate::domain::settings::setter! { @make $($setting)* }
    };
    (Timed in [Timed $($more:ident)*] $($setting:tt)*) => {
        crate::domain::settings::setter! { @make $($setting)* }
    };
    ($world:ident in [$other:ident $($more:ident)*] $($setting:tt)*) => {
        crate::domain::settings::setter! { $world in [$($more)*] $($setting)* }
    };
    (@make [$(#[$about:meta])+] $name:ident [$($path:ident)+] ($type:ty)) => {
        $(#[$about])+
        pub fn $name(mut self, value: $type) -> Self {
            self.$($path).+ = value;
            self
        }
    };
    (@make [$(#[$about:meta])+] $name:ident [$($path:ident)+] ($type:ty)
     ($given:ident: $given_type:ty) $made:expr) => {
        $(#[$about])+
        pub fn $name(mut self, $given: $given_type) -> Self {
            self.$($path).+ = $made;
            self
        }
    };
}
pub(crate) use setter;

/// A number of units. One that does not fit becomes the largest one, which [`Settings::check`](super::Settings::check)
/// refuses.
pub(crate) fn units(number: u32) -> Units {
    Units::try_from(number).unwrap_or(Units::MAX)
}

/// So many units for each buyer, both ends included.
pub(crate) fn between(least: u32, most: u32) -> Demand {
    Demand { least: units(least), most: units(most) }
}
