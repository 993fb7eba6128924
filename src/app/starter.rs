//! What `init app` writes: an application's file, and a small shop in Python that it is about.

/// Files, each with its name.
#[must_use]
pub fn starter() -> Vec<(&'static str, &'static str)> {
    vec![("shop.toml", include_str!("starter/shop.toml"))]
}
