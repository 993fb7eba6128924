//! Applications whose connections to their databases are encrypted as far as the proxy.

use std::fs;

use oversell_sim::StoreKind::{Mysql, Postgres, Redis};
use serde_json::Value;

use crate::apps::{findings, ready, run, search, stderr};
use crate::shops::shops;

/// A copy of a shop in a folder of its own, with one thing in its file changed.
struct Changed {
    folder: tempfile::TempDir,
    good: String,
}

impl Changed {
    fn of(language: &str, file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(shops().join(language)).unwrap().flatten() {
            if entry.path().is_file() {
                fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
            }
        }
        let good = fs::read_to_string(folder.path().join(file)).unwrap();
        if good.contains("../schema.sql") {
            fs::copy(shops().join("schema.sql"), folder.path().join("schema.sql")).unwrap();
        }
        let good =
            good.replace("../schema.sql", "schema.sql").replace("[app]", "[app]\nlog = \"log\"");
        Self { folder, good }
    }

    /// The file with this in place of that.
    fn file(&self, from: &str, to: &str) -> std::path::PathBuf {
        assert!(self.good.contains(from), "{}", self.good);
        let file = self.folder.path().join("changed.toml");
        fs::write(&file, self.good.replace(from, to)).unwrap();
        file
    }
}

/// What a search says that does not depend on where it was run.
fn said(report: &Value) -> (&Value, &Value, &Value) {
    (&report["evidence"], &report["orders"], &report["findings"])
}

#[test]
fn an_encrypted_connection_to_postgresql_makes_no_difference_to_what_is_found() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let shop = Changed::of("python", "odd.toml");
    let with = |options: &str| {
        let file = shop.file("{postgres_url}", &format!("{{postgres_url}}?{options}"));
        search(&place, &[("MODE", "")], &file, &["--find", "all", "--seed", "1"])
    };
    let plain = with("sslmode=disable");
    assert_eq!(findings(&plain)[0], "oversold");
    for options in [
        "sslmode=require",
        "sslmode=verify-full&sslrootcert={postgres_certificate}",
        "sslmode=verify-full&sslrootcert={postgres_certificate}&sslnegotiation=direct",
    ] {
        assert_eq!(said(&with(options)), said(&plain), "{options}");
    }
}

#[test]
fn a_client_that_insists_on_what_the_proxy_cannot_give_says_so() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let shop = Changed::of("python", "odd.toml");
    let told = |options: &str, words: &str| {
        let file = shop.file("{postgres_url}", &format!("{{postgres_url}}?{options}"));
        let file = file.display().to_string();
        let output = run(&place, &[("MODE", "")], &["doctor", "--app", &file]);
        assert_eq!(output.status.code(), Some(2), "{options}: {}", stderr(&output));
        let printed = fs::read_to_string(shop.folder.path().join("log")).unwrap();
        assert!(printed.contains(words), "{options}: {printed}");
    };
    // The signature of the server is about its own connection to the proxy, which is plain.
    told("sslmode=require&channel_binding=require", "channel binding is required");
    told("sslmode=verify-full&sslrootcert=schema.sql", "could not read root certificate file");
}

#[test]
fn encrypted_connections_to_mysql_and_redis_make_no_difference_to_what_is_found() {
    let Some(place) = ready("node", &[Mysql, Redis]) else { return };
    let encrypted = "CERTIFICATE = \"{mysql_certificate}\", PORT = \"{port}\"";
    for file in ["mysql.toml", "redis.toml"] {
        let shop = Changed::of("node", file);
        let with = |to: &str| {
            let file = shop.file("PORT = \"{port}\"", to);
            search(&place, &[], &file, &["--seed", "1"])
        };
        let plain = with("PORT = \"{port}\"");
        assert!(findings(&plain).contains(&"oversold"), "{file}");
        assert_eq!(said(&with(encrypted)), said(&plain), "{file}");
    }
}
