//! Evidence: how far a verdict reaches.

use serde::Serialize;

/// How far a verdict reaches.
///
/// ```
/// use oversell_sim::{Evidence, explore, race};
/// # use oversell_sim::strategies::cas::Cas;
///
/// // A race that finds nothing is no proof. A search through every interleaving is one, for as many buyers.
/// let raced = race(Cas).buyers(50).run()?.runs[0].evidence;
/// assert!(matches!(raced, Evidence::NotSeen | Evidence::Vacuous));
/// assert!(matches!(explore(Cas).run()?.evidence, Evidence::Proved));
/// # Ok::<(), oversell_sim::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Evidence {
    /// No finding in any interleaving of these buyers.
    #[serde(rename = "proved")]
    Proved,
    /// At least one finding: the strategy is broken, here is the run that shows it.
    #[serde(rename = "broken")]
    Broken,
    /// Buyers contended, and nothing was found. Not a proof.
    #[serde(rename = "not seen")]
    NotSeen,
    /// No buyers contended, so nothing could have been found: the run says nothing.
    #[serde(rename = "vacuous")]
    Vacuous,
}

impl Evidence {
    /// All kinds.
    #[doc(hidden)]
    pub const ALL: [Self; 4] = [Self::Proved, Self::Broken, Self::NotSeen, Self::Vacuous];

    /// The word for it in reports and in `--expect`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Broken => "broken",
            Self::NotSeen => "not seen",
            Self::Vacuous => "vacuous",
        }
    }
}
