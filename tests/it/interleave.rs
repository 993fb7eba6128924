//! Code on a client of a database, as it is, in every statement order.

use std::time::Duration;

use mysql::prelude::Queryable;
use oversell_sim::StoreKind::{Mysql, Postgres, Sqlite};
use oversell_sim::{Error, Evidence, FindingKind, Interleave, Isolation, Sale, interleave};
use tokio_postgres::{Client, NoTls};

use crate::listed::has;

const SCHEMA: &str = "
    CREATE TABLE product (id int PRIMARY KEY, stock int NOT NULL);
    CREATE TABLE purchase (buyer int NOT NULL, product int NOT NULL REFERENCES product (id));
";

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Looks and then writes, or locks the row first.
async fn buy(url: String, buyer: u32, lock: &str) -> Result<Sale, tokio_postgres::Error> {
    let mut client = connect(&url).await?;
    let transaction = client.transaction().await?;
    let look = format!("SELECT stock FROM product WHERE id = 1{lock}");
    let stock: i32 = transaction.query_one(&look, &[]).await?.get(0);
    if stock < 1 {
        return Ok(Sale::SoldOut);
    }
    transaction.execute("UPDATE product SET stock = $1 WHERE id = 1", &[&(stock - 1)]).await?;
    let order = "INSERT INTO purchase VALUES ($1, 1)";
    transaction.execute(order, &[&i32::try_from(buyer).unwrap()]).await?;
    transaction.commit().await?;
    Ok(Sale::Bought)
}

/// With the tables and what is asked at the end.
fn shop(interleave: Interleave) -> Interleave {
    interleave
        .schema(SCHEMA)
        .seed("INSERT INTO product VALUES (1, 1)")
        .stock("SELECT id, stock FROM product ORDER BY id")
        .orders("SELECT buyer, product, 1 FROM purchase")
        .alike(true)
}

fn naive() -> Interleave {
    shop(interleave(|url, buyer| buy(url, buyer, "")))
}

#[test]
fn code_that_looks_and_then_writes_sells_twice_by_a_schedule_that_replays() {
    if !has(Postgres) {
        return;
    }
    let found = naive().run().unwrap();
    assert_eq!(found.evidence, Evidence::Broken);
    let told = &found.findings[0];
    assert_eq!(told.finding.kind, FindingKind::Oversold);
    let again =
        format!("end the call with .replay({:?}), and print what it returns", told.schedule);
    assert!(
        told.again.contains("interleave.rs:") && told.again.ends_with(&again),
        "{}",
        told.again
    );
    let replayed = naive().replay(&told.schedule).unwrap();
    let kinds = |found: &oversell_sim::Exploration| -> Vec<FindingKind> {
        found.findings.iter().map(|told| told.finding.kind).collect()
    };
    assert_eq!(kinds(&replayed), kinds(&found));
    // What a failed test shows.
    let text = found.to_string();
    for told in ["BROKEN", "UPDATE product SET stock = 0", "A read product (id = 1)", "again"] {
        assert!(text.contains(told), "`{told}` is not in {text}");
    }
    let refused = naive().replay("C").unwrap_err();
    assert!(matches!(refused, Error::Input(_)), "{refused}");
}

#[test]
fn code_that_locks_first_is_proved_and_so_is_its_schedule_without_a_finding() {
    if !has(Postgres) {
        return;
    }
    let locks = || shop(interleave(|url, buyer| buy(url, buyer, " FOR UPDATE")));
    let proved = locks().assert_proved();
    let orders = proved.orders.unwrap();
    assert_eq!(orders.diverged, 0);
    assert!(orders.complete);
    let replayed = locks().replay("ABAAA").unwrap();
    assert_eq!(replayed.findings.len(), 0);
    let three = locks().buyers(3).run().unwrap();
    assert_eq!(three.evidence, Evidence::Proved, "{three}");
}

#[test]
fn a_stronger_level_cures_code_with_a_retry_of_its_own() {
    if !has(Postgres) {
        return;
    }
    let retries = |url: String, buyer| async move {
        loop {
            match buy(url.clone(), buyer, "").await {
                Err(error) if error.code().is_some_and(|code| code.code() == "40001") => {}
                other => return other,
            }
        }
    };
    let weak = shop(interleave(retries)).run().unwrap();
    assert_eq!(weak.evidence, Evidence::Broken);
    let strong = shop(interleave(retries)).isolation(Isolation::Serializable).run().unwrap();
    assert_eq!(strong.findings.len(), 0, "{strong}");
}

#[test]
fn code_that_fails_or_panics_is_told_with_its_words_and_its_place() {
    if !has(Postgres) {
        return;
    }
    let told = |interleave: Interleave, words: &str| {
        let error = shop(interleave).run().unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Input(_)), "{text}");
        assert!(text.contains("interleave.rs:") && text.contains(words), "{text}");
    };
    told(
        interleave(|_, buyer| async move {
            match buyer {
                1 => Err("the till is empty"),
                _ => Ok(Sale::SoldOut),
            }
        }),
        "A: the till is empty",
    );
    told(
        interleave(|url, buyer| async move {
            let client = connect(&url).await?;
            client.execute("SELECT 1 FROM product", &[]).await?;
            assert!(buyer < 2, "there is no buyer {buyer}");
            Ok::<_, tokio_postgres::Error>(Sale::SoldOut)
        }),
        "B: panicked: there is no buyer 2",
    );
    told(
        interleave(|url, _| async move {
            connect(&url).await?.execute("SELECT 1 FROM prodct", &[]).await?;
            Ok::<_, tokio_postgres::Error>(Sale::SoldOut)
        }),
        "db error: ERROR: relation \"prodct\" does not exist",
    );
}

#[test]
fn a_buyer_that_panics_in_one_order_only_has_failed_there() {
    if !has(Postgres) {
        return;
    }
    let conditional = |url: String, buyer: u32| async move {
        let client = connect(&url).await?;
        let look = "SELECT stock FROM product WHERE id = 1";
        let stock: i32 = client.query_one(look, &[]).await?.get(0);
        if stock < 1 {
            return Ok::<_, tokio_postgres::Error>(Sale::SoldOut);
        }
        let take = "UPDATE product SET stock = stock - 1 WHERE id = 1 AND stock > 0";
        let taken = client.execute(take, &[]).await?;
        assert_eq!(taken, 1, "the other was faster");
        let order = "INSERT INTO purchase VALUES ($1, 1)";
        client.execute(order, &[&i32::try_from(buyer).unwrap()]).await?;
        Ok(Sale::Bought)
    };
    let found = shop(interleave(conditional)).run().unwrap();
    assert!(found.failed > 0, "{found}");
    assert!(found.to_string().contains("panicked: "), "{found}");
}

#[test]
fn code_that_never_ends_ends_with_the_search() {
    if !has(Postgres) {
        return;
    }
    let hangs = |url: String, buyer| async move {
        let sale = buy(url, buyer, "").await;
        if sale.as_ref().is_ok_and(|sale| *sale == Sale::Bought) && buyer == 2 {
            std::future::pending::<()>().await;
        }
        sale
    };
    let found = shop(interleave(hangs)).alike(false).max_time(Duration::from_secs(2)).run();
    assert_ne!(found.unwrap().evidence, Evidence::Proved);
}

/// The same on the blocking client of MySQL.
fn buy_at_mysql(url: &str, buyer: u32, lock: &str) -> Result<Sale, mysql::Error> {
    // The client would go on over the server's own socket, past the proxy.
    let opts = mysql::OptsBuilder::from_opts(mysql::Opts::from_url(url)?).prefer_socket(false);
    let mut connection = mysql::Conn::new(opts)?;
    connection.query_drop("BEGIN")?;
    let look = format!("SELECT stock FROM product WHERE id = 1{lock}");
    let stock: i32 = connection.query_first(look)?.unwrap();
    if stock < 1 {
        return Ok(Sale::SoldOut);
    }
    let write = "UPDATE product SET stock = ? WHERE id = 1";
    connection.exec_drop(write, (stock - 1,))?;
    connection.exec_drop("INSERT INTO purchase VALUES (?, 1)", (buyer,))?;
    connection.query_drop("COMMIT")?;
    Ok(Sale::Bought)
}

#[test]
fn code_on_a_client_that_blocks_is_broken_at_mysql_and_proved_with_a_lock() {
    if !has(Mysql) {
        return;
    }
    let at = |lock| {
        let code = move |url: String, buyer| async move { buy_at_mysql(&url, buyer, lock) };
        shop(interleave(code)).store(Mysql)
    };
    let broken = at("").run().unwrap();
    assert_eq!(broken.findings[0].finding.kind, FindingKind::Oversold);
    let replayed = at("").replay(&broken.findings[0].schedule).unwrap();
    assert_eq!(replayed.findings[0].finding.kind, FindingKind::Oversold);
    at(" FOR UPDATE").assert_proved();
}

#[test]
fn what_cannot_be_explored_is_told_with_its_place() {
    let code = |_, _| async { Ok::<_, String>(Sale::SoldOut) };
    let told = |interleave: Interleave, words: &str| {
        let text = interleave.run().unwrap_err().to_string();
        assert!(text.contains("interleave.rs:") && text.contains(words), "{text}");
    };
    told(interleave(code), "nothing is audited");
    told(interleave(code).stock("SELECT 1"), "give both, or neither");
    told(shop(interleave(code)).store(Sqlite), "no proxy holds the statements of sqlite");
    let none = shop(interleave(code)).buyers(0).run().unwrap_err().to_string();
    assert!(none.contains("buyers"), "{none}");
    if has(Postgres) {
        told(shop(interleave(code)), "no statement has come through the proxy");
        told(shop(interleave(code)).schema("CREATE TABEL product ()"), "`schema`");
    }
}
