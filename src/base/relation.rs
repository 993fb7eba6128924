//! How one thing must stand to another: `=`, `!=`, `<`, `<=`, `>`, `>=`.

/// How a figure must stand to its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Relation {
    /// Longer signs first, so that `<=` is not read as `<`.
    pub(crate) const SIGNS: [(&'static str, Self); 7] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::More),
    ];

    /// Where the first sign in a text begins.
    pub(crate) fn find(text: &str) -> Option<usize> {
        text.find(['=', '!', '<', '>'])
    }

    /// The sign that a text begins with, and what comes after it.
    pub(crate) fn at_start(text: &str) -> Option<(Self, &str)> {
        Self::SIGNS
            .into_iter()
            .find_map(|(sign, relation)| Some((relation, text.strip_prefix(sign)?)))
    }

    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    pub(crate) fn holds<T: PartialOrd>(self, seen: T, bound: T) -> bool {
        match self {
            Self::Equal => seen == bound,
            Self::NotEqual => seen != bound,
            Self::Less => seen < bound,
            Self::AtMost => seen <= bound,
            Self::More => seen > bound,
            Self::AtLeast => seen >= bound,
        }
    }
}
