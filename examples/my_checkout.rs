//! A checkout of one's own, raced: `cargo run --release --example my_checkout`.

use oversell_sim::prelude::*;

/// Looks first, then swaps; turns to the store's own check when it has lost the swap.
struct MyCheckout;

impl Strategy for MyCheckout {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            return Err(SoldOut);
        }
        shop.think().await?;
        let swapped = shop.compare_and_set(want.item, seen, seen - want.qty).await?;
        if !swapped && !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}

fn main() {
    let report =
        oversell_sim::race(MyCheckout).buyers(1000).stock(3).rounds(10).assert_no_findings();
    println!("{report}");
}
