//! How the audit reads the answers to its queries.

use parking_lot::RwLock;

use super::value::{Answer, StoreValue, Values};
use super::{Call, Checkout};
use crate::base::text::nearest::shown;
use crate::domain::books::Books;
use crate::domain::op::{BuyerId, Item, MOST_ITEMS, Order, Units, Want};

/// A product: the key that the store knows it by, and its stock.
pub type ProductStock = (StoreValue, Units);

/// The shelves as they were at the start, shared with all parts that have to know the keys.
pub type Shelves = RwLock<Vec<ProductStock>>;

impl Checkout {
    /// Sends the calls of `setup` to a store that is as its files have made it, and reads the shelves.
    ///
    /// # Errors
    /// As [`look_into`](Self::look_into).
    pub fn set_up<E>(
        &self,
        stock: Units,
        buyers: u32,
        mut ask: impl FnMut(&str, &Call, Values<'_>) -> Result<Answer, E>,
        mistaken: impl Fn(&str, String) -> E,
    ) -> Result<Vec<ProductStock>, E> {
        let value_of = |name: &str| match name {
            "stock" => StoreValue::Int(stock.into()),
            _ => StoreValue::Int(self.customers(buyers)),
        };
        for call in &self.setup {
            ask("setup", call, &value_of)?;
        }
        let Some(stock) = &self.audit.stock else { return Ok(Vec::new()) };
        let key = "audit.stock";
        shelves_in(&ask(key, stock, &|_| StoreValue::Null)?).map_err(|why| mistaken(key, why))
    }

    /// Sends all queries of the audit, and puts the answers together. `before` are the shelves as they were at the
    /// start.
    ///
    /// # Errors
    /// The error of `ask`; or that of `mistaken`, which gets the query's key and what is wrong with its answer.
    pub fn look_into<E>(
        &self,
        before: &[ProductStock],
        mut ask: impl FnMut(&str, &Call) -> Result<Answer, E>,
        mistaken: impl Fn(&str, String) -> E,
    ) -> Result<Books, E> {
        let mut books =
            Books { put_up: before.iter().map(|(_, units)| *units).collect(), ..Books::default() };
        if let (Some(stock), Some(orders)) = (&self.audit.stock, &self.audit.orders) {
            let key = "audit.stock";
            let after = shelves_in(&ask(key, stock)?).map_err(|why| mistaken(key, why))?;
            let left = |key: &StoreValue| after.iter().find(|(known, _)| known.is_same_key(key));
            for (product, _) in before {
                let Some((_, units)) = left(product) else {
                    return Err(mistaken(key, format!("the product {product} is gone")));
                };
                books.shelves.push(*units);
            }
            let key = "audit.orders";
            let answer = ask(key, orders)?;
            books.orders = self.orders_in(&answer, before).map_err(|why| mistaken(key, why))?;
        }
        for (name, call) in &self.audit.never {
            let answer = ask(&format!("audit.never.{name}"), call)?;
            if !answer.rows.is_empty() {
                books.broken.push(format!("{name}: {answer}"));
            }
        }
        Ok(books)
    }

    /// The order book: one row a line, with a buyer, a product if there are several, and units; 1 unit if it has none.
    fn orders_in(&self, answer: &Answer, shelves: &[ProductStock]) -> Result<Vec<Order>, String> {
        let order = |row: &Vec<StoreValue>| {
            let (buyer, product, units) = match &row[..] {
                [buyer] => (buyer, None, None),
                [buyer, units] => (buyer, None, Some(units)),
                [buyer, product, units, ..] => (buyer, Some(product), Some(units)),
                [] => return Err("a row has no columns".to_owned()),
            };
            let item = match product {
                Some(product) => shelves.iter().position(|(key, _)| key.is_same_key(product)).ok_or_else(|| {
                    format!("a line is of the product {product}, which has no stock in `audit.stock`")
                })?,
                None if shelves.len() == 1 => 0,
                None => {
                    return Err("there are several products: say of which each line is, with \
                                buyer, product and units"
                        .to_owned());
                }
            };
            let qty = units.map_or(Ok(1), units_in)?;
            // A customer that is unknown to the race has no receipt: no visit has this buyer's number.
            let buyer = buyer.as_int().and_then(|customer| self.place_of(customer));
            let buyer = buyer.unwrap_or(BuyerId::MAX);
            Ok(Order { buyer, want: Want::one(Item(item as u8), qty) })
        };
        answer.rows.iter().map(order).collect()
    }
}

/// The shelves: one row a product, with its key and its stock; or only the stock, if there is one product.
fn shelves_in(answer: &Answer) -> Result<Vec<ProductStock>, String> {
    let shelf = |row: &Vec<StoreValue>| match &row[..] {
        [stock] => Ok((StoreValue::Int(1), units_in(stock)?)),
        [key, stock, ..] => Ok((key.clone(), units_in(stock)?)),
        [] => Err("a row has no columns".to_owned()),
    };
    let shelves: Vec<ProductStock> = answer.rows.iter().map(shelf).collect::<Result<_, _>>()?;
    let has_keys = answer.rows.iter().all(|row| row.len() > 1);
    match shelves.len() {
        0 => Err("there is no product in it".into()),
        1 => Ok(shelves),
        _ if !has_keys => {
            Err("there are several rows: say which product each is of, with its key and its stock"
                .into())
        }
        many if many as u64 > MOST_ITEMS => {
            Err(format!("there are {many} products; there can be {MOST_ITEMS} at most"))
        }
        _ => Ok(shelves),
    }
}

fn units_in(value: &StoreValue) -> Result<Units, String> {
    let units = value.as_int().and_then(|units| Units::try_from(units).ok());
    units.ok_or_else(|| format!("`{}` is no number of units", shown(&value.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::sql::{Dialect, Sql};

    fn answer(rows: &[&[i64]]) -> Answer {
        let row = |row: &&[i64]| row.iter().map(|number| StoreValue::Int(*number)).collect();
        Answer::found(vec!["x".into()], rows.iter().map(row).collect())
    }

    /// A checkout whose audit has one rule and asks for neither stock nor orders.
    fn checkout() -> Checkout {
        Checkout {
            path: "checkout.toml",
            title: String::new(),
            store: crate::domain::store_kind::StoreKind::Postgres,
            beside: None,
            url: None,
            database: None,
            schema: None,
            seed: None,
            setup: Vec::new(),
            roles: vec![crate::describe::checkout::Role {
                name: String::new(),
                buys: true,
                once: false,
                steps: Vec::new(),
                loops: Vec::new(),
            }],
            expiry: None,
            audit: crate::describe::checkout::Audit {
                never: vec![(
                    "rule".into(),
                    Call::Sql(Sql::new(Dialect::Postgres, "SELECT coupon")),
                )],
                ..crate::describe::checkout::Audit::default()
            },
            alike: false,
            is_same_buyer: false,
            settings: Vec::new(),
            app: None,
        }
    }

    /// The roles of these names; one with a star exists once, and `buyer` buys.
    fn of_roles(names: &[&str]) -> Checkout {
        let role = |name: &&str| crate::describe::checkout::Role {
            name: (*name).into(),
            buys: *name == "buyer",
            once: name.ends_with('*'),
            steps: Vec::new(),
            loops: Vec::new(),
        };
        Checkout { roles: names.iter().map(role).collect(), ..checkout() }
    }

    #[test]
    fn a_role_that_exists_once_is_there_once_and_every_other_for_each_customer() {
        let shop = of_roles(&["tab", "cleaner*", "buyer"]);
        let told: Vec<(&str, i64)> =
            (0..7).map(|place| (shop.role(place).name.as_str(), shop.customer(place))).collect();
        assert_eq!(
            told,
            [
                ("tab", 1),
                ("cleaner*", 1),
                ("buyer", 1),
                ("tab", 2),
                ("buyer", 2),
                ("tab", 3),
                ("buyer", 3)
            ]
        );
        assert_eq!(shop.a_few(), 5);
        let customers: Vec<i64> = (0..=7).map(|buyers| shop.customers(buyers)).collect();
        assert_eq!(customers, [0, 1, 1, 1, 2, 2, 3, 3]);
        for shop in [shop, of_roles(&["buyer", "cleaner*"]), of_roles(&["a*", "b*", "buyer"])] {
            for customer in 1..9 {
                let place = shop.place_of(customer).unwrap();
                assert!(shop.role(place).buys, "{customer}");
                assert_eq!(shop.customer(place), customer);
            }
            assert_eq!(shop.place_of(0), None);
            assert_eq!(shop.place_of(i64::MAX), None);
        }
    }

    #[test]
    fn without_a_role_that_exists_once_each_customer_has_them_all() {
        let shop = of_roles(&["buyer", "webhook"]);
        for place in 0..9 {
            assert_eq!(shop.role_number(place), place as usize % 2);
            assert_eq!(shop.customer(place), i64::from(place) / 2 + 1);
            assert_eq!(shop.customers(place), i64::from(place.div_ceil(2)));
        }
        assert_eq!(shop.place_of(3), Some(4));
        let same = Checkout { is_same_buyer: true, ..shop };
        assert_eq!((same.customer(5), same.customers(6)), (1, 1));
    }

    #[test]
    fn a_rule_that_finds_a_row_is_broken_whatever_stands_in_it() {
        let broken = |rows: Vec<Vec<StoreValue>>| {
            let answer = Answer::found(vec!["coupon".into()], rows);
            let books =
                checkout().look_into(&[], |_, _| Ok::<_, String>(answer.clone()), |_, why| why);
            books.unwrap().broken.len()
        };
        assert_eq!(broken(vec![vec![StoreValue::Null]]), 1);
        // As `SELECT FROM t` finds it.
        assert_eq!(broken(vec![Vec::new()]), 1);
        assert_eq!(broken(Vec::new()), 0);
    }

    #[test]
    fn a_line_is_of_the_product_whose_key_is_written_like_its() {
        let text = |text: &str| StoreValue::Text(text.into());
        let shelves = [(text("1"), 5), (text("001"), 5), (text("100"), 5), (text("1e2"), 5)];
        let line = |key: &str| {
            let rows = vec![vec![StoreValue::Int(1), text(key), StoreValue::Int(1)]];
            let orders = checkout().orders_in(&Answer::found(vec!["x".into()], rows), &shelves);
            orders.map(|orders| orders[0].want.item.0)
        };
        for (place, (key, _)) in shelves.iter().enumerate() {
            assert_eq!(line(&key.text()), Ok(place as u8));
        }
        assert!(line("01").is_err());
    }

    #[test]
    fn a_shelf_has_a_key_unless_there_is_only_one() {
        assert_eq!(shelves_in(&answer(&[&[5]])).unwrap(), [(StoreValue::Int(1), 5)]);
        assert_eq!(shelves_in(&answer(&[&[7, 5], &[9, 0]])).unwrap()[1], (StoreValue::Int(9), 0));
        assert!(shelves_in(&answer(&[&[5], &[6]])).is_err());
        assert!(shelves_in(&answer(&[])).is_err());
        assert!(shelves_in(&answer(&[&[1, i64::MAX]])).is_err());
    }
}
