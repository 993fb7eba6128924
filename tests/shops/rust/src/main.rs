//! A small shop on PostgreSQL: it writes down every purchase and counts how many there are, by prepared statements. With
//! `CURE=conditional` a unit is taken off the shelf first, by a statement that only does so while there is one.

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;
use tokio_postgres::{Error, NoTls};

#[derive(Deserialize)]
struct Wish {
    buyer: i32,
}

async fn buy(Query(Wish { buyer }): Query<Wish>) -> (StatusCode, String) {
    match take_one(buyer).await {
        Ok(true) => (StatusCode::OK, "bought".into()),
        Ok(false) => (StatusCode::CONFLICT, "sold out".into()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn take_one(buyer: i32) -> Result<bool, Error> {
    let url = std::env::var("DATABASE_URL").unwrap_or_default();
    let (mut client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    let is_cured = std::env::var("CURE").is_ok_and(|cure| cure == "conditional");
    let transaction = client.transaction().await?;
    if is_cured {
        let take = "UPDATE product SET stock = stock - 1 WHERE id = $1 AND stock > 0";
        if transaction.execute(take, &[&1_i32]).await? == 0 {
            return Ok(false);
        }
    } else {
        let row = transaction.query_one("SELECT stock FROM product WHERE id = $1", &[&1_i32]).await?;
        if row.get::<_, i32>(0) < 1 {
            return Ok(false);
        }
        transaction.execute("UPDATE product SET stock = stock - 1 WHERE id = $1", &[&1_i32]).await?;
    }
    let order = "INSERT INTO purchase (buyer, product) VALUES ($1, $2)";
    transaction.execute(order, &[&buyer, &1_i32]).await?;
    transaction.commit().await?;
    Ok(true)
}

#[tokio::main]
async fn main() {
    let port = std::env::var("PORT").unwrap_or_default();
    let shop = Router::new().route("/", get(|| async { "open" })).route("/buy", post(buy));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("a port");
    axum::serve(listener, shop).await.expect("a server");
}
