//! The machine that measured something: what must be the same for times to be comparable.

use serde::Serialize;

/// A machine, as far as times depend on it and a program can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Machine {
    /// Its operating system, such as `linux`.
    pub os: &'static str,
    /// Its processor's architecture, such as `x86_64`.
    pub arch: &'static str,
    /// How many threads it runs at once, as far as this process may use them.
    pub cores: usize,
}

impl Machine {
    /// This one.
    #[doc(hidden)]
    #[must_use]
    pub fn this() -> Self {
        Self {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        }
    }

    /// One that another machine has written about itself. Its names are kept for as long as the process runs.
    #[cfg(feature = "cli")]
    pub(crate) fn written(os: String, arch: String, cores: usize) -> Self {
        Self { os: os.leak(), arch: arch.leak(), cores }
    }
}
