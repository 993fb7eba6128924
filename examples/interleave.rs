//! Code on tokio-postgres, as it is, in every statement order: `cargo run --example interleave`.

use oversell_sim::{Sale, interleave};
use tokio_postgres::{Error, NoTls};

const SCHEMA: &str = "
    CREATE TABLE product (id int PRIMARY KEY, stock int NOT NULL);
    CREATE TABLE purchase (buyer int NOT NULL, product int NOT NULL REFERENCES product);
";

/// The code to be tested: looks at the stock, and writes what it has worked out.
async fn buy(database_url: String, buyer: u32) -> Result<Sale, Error> {
    let (mut client, connection) = tokio_postgres::connect(&database_url, NoTls).await?;
    tokio::spawn(connection);
    let transaction = client.transaction().await?;
    let look = "SELECT stock FROM product WHERE id = 1";
    let stock: i32 = transaction.query_one(look, &[]).await?.get(0);
    if stock < 1 {
        return Ok(Sale::SoldOut);
    }
    transaction.execute("UPDATE product SET stock = $1 WHERE id = 1", &[&(stock - 1)]).await?;
    let order = "INSERT INTO purchase (buyer, product) VALUES ($1, 1)";
    transaction.execute(order, &[&(buyer as i32)]).await?;
    transaction.commit().await?;
    Ok(Sale::Bought)
}

fn main() -> Result<(), oversell_sim::Error> {
    let found = interleave(buy)
        .schema(SCHEMA)
        .seed("INSERT INTO product VALUES (1, 1)")
        .stock("SELECT id, stock FROM product ORDER BY id")
        .orders("SELECT buyer, product, 1 FROM purchase")
        .alike(true)
        .run()?;
    println!("{found}");
    Ok(())
}
