//! Carts of several products in checkouts that are described in files.

use std::fs;
use std::path::Path;

use oversell_sim::StoreKind::{self, Mysql, Postgres, Sqlite};
use oversell_sim::unstable::checkout::{Checkout, starter};

use crate::checkouts::{run, said, search, settings};
use crate::listed::has;

const SCHEMA: &str = "CREATE TABLE product (id INT PRIMARY KEY, stock INT NOT NULL);
CREATE TABLE purchase (buyer INT NOT NULL, product INT NOT NULL, qty INT NOT NULL);";
const SEED: &str = "INSERT INTO product VALUES (10, 1), (20, 1);";
const AUDIT: &str = "[audit]\nstock = \"SELECT id, stock FROM product ORDER BY id\"\n\
    orders = \"SELECT buyer, product, qty FROM purchase\"\n";
const TAKE: &str = "sql = \"UPDATE product SET stock = stock - :qty WHERE id = :item AND stock >= :qty\"\n\
    sold_out_if = \"rows = 0\"\n";
const ORDER: &str = "sql = \"INSERT INTO purchase VALUES (:buyer, :item, :qty)\"\n";
const EACH: &str = "each = \"item\"\n";

fn shop(store: StoreKind, rest: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("schema.sql", SCHEMA);
    write("seed.sql", SEED);
    let head = format!("store = \"{store}\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n");
    write("checkout.toml", &(head + rest));
    folder
}

fn runs(folder: &Path, args: &str, code: i32) -> String {
    let output = run(folder, &args.split(' ').collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(code), "{args}: {}", said(&output));
    said(&output)
}

/// A cart that is taken in a transaction, each product before its order.
fn in_a_transaction() -> String {
    format!(
        "cart = 2\nretries = 3\n[[step]]\nsql = \"BEGIN\"\n\
         [[step]]\n{EACH}[[step.step]]\n{TAKE}[[step.step]]\n{ORDER}\
         [[step]]\nsql = \"COMMIT\"\n{AUDIT}"
    )
}

/// Two carts are begun in two orders: a deadlock, which the database breaks, and the cart is taken again.
#[test]
fn a_cart_that_is_taken_in_a_transaction_is_taken_as_a_whole_or_not_at_all() {
    for store in [Postgres, Mysql, Sqlite].into_iter().filter(|store| has(*store)) {
        let folder = shop(store, &in_a_transaction());
        let args = "explore --checkout checkout.toml --expect evidence=proved";
        let told = runs(folder.path(), args, 0);
        if store == Postgres {
            let args = "explore --checkout checkout.toml --expect resolved_deadlocks>0";
            assert!(!told.contains("BROKEN"), "{told}");
            runs(folder.path(), args, 0);
        }
        let raced =
            "race --checkout checkout.toml --buyers 20 --expect findings=0 --expect units_sold=2";
        runs(folder.path(), raced, 0);
    }
}

#[test]
fn a_cart_that_is_taken_product_by_product_may_be_taken_in_part() {
    let rest = format!("cart = 2\n[[step]]\n{EACH}{TAKE}[[step]]\n{EACH}{ORDER}{AUDIT}");
    let folder = shop(Sqlite, &rest);
    let told = runs(folder.path(), "explore --checkout checkout.toml", 0);
    assert!(told.contains("the shelf fell by 1, but 0 units sold"), "{told}");
    // The command that shows it again says how many products a cart has, where the file does not.
    let folder = shop(Sqlite, &rest.replace("cart = 2\n", ""));
    runs(folder.path(), "explore --checkout checkout.toml --expect evidence=proved", 0);
    let told = runs(folder.path(), "explore --checkout checkout.toml --cart 2", 0);
    let again = "replay --checkout checkout.toml --buyers 2 --cart 2 --schedule";
    assert!(told.contains(again), "{told}");
}

/// Both products are looked at before either is taken: what was seen of each is kept for each.
#[test]
fn what_is_saved_for_each_product_is_that_products() {
    let rest = format!(
        "cart = 2\n[[step]]\n{EACH}sql = \"SELECT id * 100 AS price, stock FROM product WHERE id = :item\"\n\
         save = [\"price\", \"stock\"]\nsold_out_if = \"stock < qty\"\n\
         [[step]]\n{EACH}sql = \"UPDATE product SET stock = :stock - :qty WHERE id = :item AND id * 100 = :price\"\nfailed_if = \"rows = 0\"\n\
         [[step]]\n{EACH}when = \"price != null\"\n{ORDER}{AUDIT}"
    );
    let folder = shop(Sqlite, &rest);
    let told = runs(folder.path(), "check --checkout checkout.toml", 0);
    for sent in
        ["SET stock = 1 - 1 WHERE id = 10 AND id * 100 = 1000", "WHERE id = 20 AND id * 100 = 2000"]
    {
        assert!(told.replace("\n", " ").contains(sent), "{told}");
    }
    let told = runs(folder.path(), "explore --checkout checkout.toml", 0);
    assert!(told.contains("#1: 2 units promised, 1 in stock"), "{told}");
}

#[test]
fn what_a_search_of_carts_leaves_out_ends_in_no_other_way() {
    for store in [Postgres, Sqlite].into_iter().filter(|store| has(*store)) {
        let rest = format!("cart = 2\n[[step]]\n{EACH}{TAKE}[[step]]\n{EACH}{ORDER}{AUDIT}");
        let folder = shop(store, &rest);
        let checkout = Checkout::read(&folder.path().join("checkout.toml")).unwrap();
        let settings = settings(&checkout, None);
        let (slow, all) = search(&checkout, &settings, false, 5_000);
        assert!(slow.orders.as_ref().unwrap().complete, "{store}");
        let (_, some) = search(&checkout, &settings, true, 5_000);
        assert_eq!(some, all, "{store}");
    }
}

/// A customer's webhook is about the customer's product, and not about the next.
#[test]
fn all_that_act_for_a_customer_want_the_same() {
    let role = |name: &str, buys: bool, step: &str| {
        format!("[[role]]\nname = \"{name}\"\nbuys = {buys}\n[[role.step]]\n{step}")
    };
    let rest = role("buyer", true, TAKE)
        + "[[role.step]]\n"
        + ORDER
        + &role("webhook", false, "sql = \"SELECT stock FROM product WHERE id = :item\"\n")
        + AUDIT;
    let folder = shop(Sqlite, &rest);
    let told = runs(folder.path(), "check --checkout checkout.toml", 0);
    for (id, times) in [(10, 2), (20, 2)] {
        let updates = format!("stock - 1 WHERE id = {id}");
        let looks = format!("SELECT stock FROM product WHERE id = {id}");
        let told = told.replace('\n', " ");
        assert_eq!(told.matches(&updates).count() + told.matches(&looks).count(), times, "{told}");
    }
}

#[test]
fn what_makes_no_sense_of_carts_is_told_with_its_place() {
    let one = format!("[[step]]\n{TAKE}[[step]]\n{ORDER}{AUDIT}");
    let each = format!("[[step]]\n{EACH}{TAKE}[[step]]\n{EACH}{ORDER}{AUDIT}");
    for (rest, args, words) in [
        (
            one.clone(),
            " --cart 2",
            "--cart: checkout.toml takes one product; write `each = \"item\"` into the steps",
        ),
        (
            format!("cart = 2\n{one}"),
            "",
            "checkout.toml:4:8: `cart`: write `each = \"item\"` into the steps",
        ),
        (format!("cart = 9\n{each}"), "", "checkout.toml:4:8: `cart`: "),
        (
            each.clone(),
            " --cart 3",
            "`cart` is 3, but `audit.stock` finds only 2 products: lower `cart`",
        ),
        (each.clone(), " --items 2", "--items means nothing to a checkout"),
        (each.replace("\"item\"", "\"product\""), "", "checkout.toml:5:8: `each` must be \"item\""),
        (
            format!("[[step]]\n{EACH}{TAKE}[[step.step]]\n{ORDER}{AUDIT}"),
            "",
            "unknown key `sold_out_if`; a step with steps of its own has each, step",
        ),
        (
            format!("[[step]]\n{EACH}[[step.step]]\n{EACH}{ORDER}{AUDIT}"),
            "",
            "checkout.toml:7:8: these steps are repeated already; leave it out",
        ),
        (
            format!("[[step]]\n[[step.step]]\n{ORDER}{AUDIT}"),
            "",
            "`step`: steps in a step are repeated; add `each = \"item\"`",
        ),
    ] {
        let folder = shop(Sqlite, &rest);
        let told = runs(folder.path(), &format!("explore --checkout checkout.toml{args}"), 2);
        assert!(told.contains(words), "{rest}\n{args}\n{words}\n{told}");
    }
    let job = format!(
        "[[role]]\nname = \"a\"\n[[role.step]]\n{ORDER}[[role]]\nname = \"b\"\nonce = true\n[[role.step]]\n{EACH}sql = \"SELECT 1\"\n{AUDIT}"
    );
    let folder = shop(Sqlite, &job);
    let told = runs(folder.path(), "check --checkout checkout.toml", 2);
    assert!(told.contains("`each`: a role that exists once has no cart; leave it out"), "{told}");
}

/// The example sells the one product that there is.
#[test]
fn without_an_audit_of_stock_products_go_by_their_numbers() {
    let rest = format!(
        "[[step]]\n{EACH}sql = \"INSERT INTO purchase VALUES (:buyer, :item, :qty)\"\n\
         [audit.never]\n\"other products\" = \"SELECT product FROM purchase WHERE product NOT IN (1, 2)\"\n\
         \"none of the second\" = \"SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM purchase WHERE product = 2)\"\n"
    );
    let folder = shop(Sqlite, &rest);
    let args = "explore --checkout checkout.toml --cart 2 --expect evidence=proved";
    runs(folder.path(), args, 0);
    let broken = runs(folder.path(), "explore --checkout checkout.toml", 0);
    assert!(broken.contains("none of the second"), "{broken}");
    assert!(starter(Sqlite).iter().all(|(_, text)| !text.contains("each")), "it has one product");
}
