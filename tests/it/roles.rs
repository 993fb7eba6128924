//! Roles of a checkout file: who there is, and for whom.

use std::fs;
use std::path::Path;

use crate::checkouts::{run, said};

const SCHEMA: &str = "CREATE TABLE product (id INT PRIMARY KEY, stock INT NOT NULL);
CREATE TABLE purchase (buyer INT NOT NULL, product INT NOT NULL, qty INT NOT NULL);
CREATE TABLE job (runs INT NOT NULL);";
const SEED: &str = "INSERT INTO product VALUES (1, 1);";
/// Sells one unit; a job puts another one on the shelf, and takes note that it has run.
const SHOP: &str = r#"store = "sqlite"
schema = "schema.sql"
seed = "seed.sql"

[[role]]
name = "buyer"
[[role.step]]
sql = "UPDATE product SET stock = stock - 1 WHERE id = :item AND stock > 0"
sold_out_if = "rows = 0"
[[role.step]]
sql = "INSERT INTO purchase VALUES (:buyer, :item, :qty)"

[[role]]
name = "job"
once = true
[[role.step]]
sql = "INSERT INTO job VALUES (1)"

[audit]
stock = "SELECT id, stock FROM product"
orders = "SELECT buyer, product, qty FROM purchase"
[audit.never]
"runs twice" = "SELECT COUNT(*) FROM job HAVING COUNT(*) > 1"
"second customer" = "SELECT buyer FROM purchase WHERE buyer = 2"
"#;

/// The shop, with something else in the place of what is there.
fn shop(changes: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let mut text = SHOP.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    write("schema.sql", SCHEMA);
    write("seed.sql", SEED);
    write("checkout.toml", &text);
    folder
}

fn runs(folder: &Path, args: &str, code: i32) -> String {
    let output = run(folder, &args.split(' ').collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(code), "{args}: {}", said(&output));
    said(&output)
}

#[test]
fn a_role_that_exists_once_comes_with_the_first_customer_and_with_no_other() {
    let folder = shop(&[]);
    let told = runs(folder.path(), "explore --checkout checkout.toml --buyers 3", 0);
    let who = " who             A buyer of customer 1 · B job · C buyer of customer 2\n";
    assert!(told.contains(who), "{told}");
    // The unit was sold to C, whom the order names as the second customer.
    assert!(told.contains("second customer"), "{told}");
    assert!(!told.contains("runs twice"), "{told}");
    let two = runs(folder.path(), "explore --checkout checkout.toml --expect evidence=proved", 0);
    assert!(two.contains(" who             A buyer · B job\n"), "{two}");
    let first =
        shop(&[("\"second customer\" = \"SELECT buyer FROM purchase WHERE buyer = 2\"", "")]);
    let args = "explore --checkout checkout.toml --buyers 4 --expect evidence=proved";
    runs(first.path(), args, 0);
    let raced = "race --checkout checkout.toml --buyers 20 --rounds 5 --expect findings=0 --expect units_sold=1";
    runs(first.path(), raced, 0);
    // Each customer has its own, unless there is one.
    let each = shop(&[("once = true", "buys = false")]);
    let told = runs(each.path(), "explore --checkout checkout.toml --buyers 4", 0);
    assert!(told.contains("runs twice"), "{told}");
}

#[test]
fn customers_may_be_alike_beside_a_role_that_exists_once() {
    let broken = [
        ("AND stock > 0", ""),
        ("store =", "alike = true\nstore ="),
        ("sold_out_if = \"rows = 0\"", ""),
        ("\"second customer\" = \"SELECT buyer FROM purchase WHERE buyer = 2\"", ""),
    ];
    for alike in ["alike = true", "alike = false"] {
        let folder = shop(&broken);
        let path = folder.path().join("checkout.toml");
        let text = fs::read_to_string(&path).unwrap().replace("alike = true", alike);
        fs::write(&path, text).unwrap();
        let told = runs(folder.path(), "explore --checkout checkout.toml --buyers 3", 0);
        assert!(told.contains("2 units promised, 1 in stock"), "{alike}: {told}");
    }
}

#[test]
fn all_roles_of_a_file_are_there_unless_told_otherwise() {
    let role =
        "[[role]]\nname = \"import\"\nonce = true\n[[role.step]]\nsql = \"SELECT 1\"\n\n[audit]";
    let folder = shop(&[("[audit]", role)]);
    let told = runs(folder.path(), "explore --checkout checkout.toml", 0);
    assert!(told.contains(" who             A buyer · B job · C import\n"), "{told}");
}

#[test]
fn what_makes_no_sense_of_roles_is_told_with_its_place() {
    for (from, to, words) in [
        (
            "once = true",
            "once = true\nbuys = true",
            "checkout.toml:16:8: `buys`: a role that exists once acts for no customer, and buys nothing",
        ),
        ("once = true", "once = 1", "checkout.toml:15:8: `once` must be true or false"),
        ("once = true", "onse = true", "unknown key `onse`; did you mean `once`?"),
        (
            "VALUES (1)",
            "VALUES (:buyer)",
            "checkout.toml:17:7: no value `buyer` here; there are none",
        ),
        ("once = true", "", "exactly one role must buy"),
        ("name = \"buyer\"", "name = \"buyer\"\nonce = true", "no value `item` here"),
    ] {
        let folder = shop(&[(from, to)]);
        let told = runs(folder.path(), "check --checkout checkout.toml", 2);
        assert!(told.contains(words), "{to}: {told}");
    }
    let start = SHOP.find("[[role]]").unwrap();
    let end = SHOP.find("[[role]]\nname = \"job\"").unwrap();
    let folder = shop(&[
        (&SHOP[start..end], ""),
        (&SHOP[SHOP.find("stock = \"SELECT").unwrap()..SHOP.find("[audit.never]").unwrap()], ""),
    ]);
    let told = runs(folder.path(), "check --checkout checkout.toml", 2);
    assert!(told.contains("one role must act for each customer: leave `once` out there"), "{told}");
}
