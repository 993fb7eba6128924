//! "Sold out" signs: what each server remembers of the last time it was told so, for as long as it believes it.
//!
//! Their use is that they keep the rush away from the store. Their cost is that no server takes them down when
//! units come back.

use super::sim_config::ShopConfig;
use crate::domain::op::{Units, Want};

/// What a server believes of one product.
#[derive(Clone, Copy, Debug)]
struct Sign {
    until_ns: u64,
    /// Fewer units than this are left.
    fewer_than: Units,
}

/// The signs of all servers.
#[derive(Debug)]
pub(super) struct NegativeCache {
    /// By server, then by product.
    servers: Vec<Vec<Option<Sign>>>,
    lasts_ns: u64,
}

impl NegativeCache {
    /// No sign on any server yet.
    pub(super) fn none(shop: &ShopConfig, items: u8) -> Self {
        let servers = vec![vec![None; items.into()]; shop.servers as usize];
        Self { servers, lasts_ns: shop.sold_out_sign_ns }
    }

    /// Whether a sign on this server rejects a buyer that wants this.
    pub(super) fn turn_away(&self, server: usize, want: Want, now_ns: u64) -> bool {
        want.items().any(|item| {
            let sign = self.servers[server].get(usize::from(item.0)).copied().flatten();
            sign.is_some_and(|sign| now_ns < sign.until_ns && want.qty >= sign.fewer_than)
        })
    }

    /// The store has just turned a buyer away: the server puts up a sign. For a cart it puts up none, since it does
    /// not know which product was missing.
    pub(super) fn put_up(&mut self, server: usize, want: Want, now_ns: u64) {
        let mut items = want.items();
        if let (Some(item), None) = (items.next(), items.next())
            && let Some(sign) = self.servers[server].get_mut(usize::from(item.0))
        {
            let until_ns = now_ns.saturating_add(self.lasts_ns);
            *sign = Some(Sign { until_ns, fewer_than: want.qty });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::op::Item;
    use crate::domain::settings::Settings;
    use crate::worlds::timed::arrivals::Arrivals;
    use crate::worlds::timed::sim_config::SimConfig;

    /// Servers whose signs last for 10 ns.
    fn shop(servers: u32) -> ShopConfig {
        let scene = SimConfig::plain(Settings::default(), &Arrivals::Same).unwrap();
        ShopConfig { servers, sold_out_sign_ns: 10, ..scene.shop }
    }

    #[test]
    fn a_sign_rejects_a_buyer_that_wants_as_much_on_that_server_until_it_is_over() {
        let mut signs = NegativeCache::none(&shop(2), 2);
        let want = |item, qty| Want::one(Item(item), qty);
        signs.put_up(0, want(1, 3), 100);
        assert!(signs.turn_away(0, want(1, 3), 109) && signs.turn_away(0, want(1, 4), 109));
        assert!(!signs.turn_away(0, want(1, 2), 109), "two may still be there");
        assert!(!signs.turn_away(0, want(0, 3), 109), "another product");
        assert!(!signs.turn_away(1, want(1, 3), 109), "another server");
        assert!(!signs.turn_away(0, want(1, 3), 110), "it is over");
    }

    #[test]
    fn a_cart_puts_up_no_sign_and_heeds_that_of_any_product_in_it() {
        let mut signs = NegativeCache::none(&shop(1), 2);
        let cart = Want::cart([Item(0), Item(1)], 1).unwrap();
        signs.put_up(0, cart, 0);
        assert!(!signs.turn_away(0, cart, 1));
        signs.put_up(0, Want::one(Item(1), 1), 0);
        assert!(signs.turn_away(0, cart, 1));
    }
}
