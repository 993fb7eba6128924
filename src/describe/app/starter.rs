//! What `init app` writes: an application's file, and a small shop in Python that it is about.

/// Files, each with its name.
#[must_use]
pub fn starter() -> Vec<(&'static str, String)> {
    let files = [
        ("shop.toml", include_str!("starter/shop.toml")),
        ("shop.py", include_str!("starter/shop.py")),
        ("schema.sql", include_str!("starter/schema.sql")),
    ];
    files.map(|(name, text)| (name, text.to_owned())).to_vec()
}
