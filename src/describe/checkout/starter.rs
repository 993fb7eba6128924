//! A checkout to begin with, which runs as it stands.

use crate::domain::store_kind::StoreKind;

/// The files of a checkout for this store, by name.
#[must_use]
pub fn starter(store: StoreKind) -> Vec<(&'static str, String)> {
    match store {
        StoreKind::Redis => vec![
            ("checkout.toml", include_str!("starter/redis/checkout.toml").into()),
            ("take.lua", include_str!("starter/redis/take.lua").into()),
        ],
        StoreKind::Http => vec![
            ("checkout.toml", include_str!("starter/http/checkout.toml").into()),
            ("shop.py", include_str!("starter/http/shop.py").into()),
        ],
        store => {
            let checkout = include_str!("starter/sql/checkout.toml");
            vec![
                ("checkout.toml", checkout.replace("{store}", store.name())),
                ("schema.sql", include_str!("starter/sql/schema.sql").into()),
                ("seed.sql", include_str!("starter/sql/seed.sql").into()),
            ]
        }
    }
}
