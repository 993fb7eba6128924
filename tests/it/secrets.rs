//! The password of an address is never printed: in no heading, report, command, error or file.

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::cargo::cargo_bin_cmd;
use oversell_sim::StoreKind;
use oversell_sim::unstable::control::Control;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::{Address, RaceTarget};

use crate::listed::has;
use crate::running_shop::RunningShop;

/// A password that is nowhere else.
const PASSWORD: &str = "s3cret";

/// Addresses at which there is no server, and of which some are wrong.
const ADDRESSES: [(&str, &[&str]); 4] = [
    (
        "postgres",
        &[
            "postgres://me:s3cret@127.0.0.1:1/x",
            "postgres://me:s3cret@127.0.0.1:1x/x",
            "postgres://127.0.0.1:1/x?user=me@corp&password=s3cret",
            "postgres://me:1/s3cret@example.com/x",
            "host=localhost port=1 user=me password=s3cret",
            "host=localhost port=1 password='s3cret and more",
            "me:s3cret@localhost",
        ],
    ),
    (
        "mysql",
        &[
            "mysql://me:s3cret@127.0.0.1:1/x",
            "mysql://me:s3cret@127.0.0.1:1",
            "me:s3cret@localhost",
        ],
    ),
    (
        "redis",
        &[
            "redis://:s3cret@127.0.0.1:1",
            "redis://:s3cret@127.0.0.1:1/abc",
            "rediss://:s3cret@127.0.0.1:1",
            "redis+unix:///tmp/no/socket?pass=s3cret",
        ],
    ),
    (
        "etcd",
        &[
            "http://me:s3cret@127.0.0.1:1",
            "http://127.0.0.1:1,http://me:s3cret@127.0.0.1:2",
            "http://127.0.0.1:1/?token=s3cret",
        ],
    ),
];

fn ran(folder: &Path, args: &[&str]) -> Output {
    let mut command = cargo_bin_cmd!("oversell-sim");
    command.current_dir(folder).args(args).output().unwrap()
}

/// All that a command has printed, which is without the password.
fn printed(folder: &Path, args: &[&str], password: &str) -> String {
    let output = ran(folder, args);
    let said =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    let said = said.concat();
    assert!(!said.contains(password), "{args:?}: {said}");
    said
}

#[test]
fn no_command_repeats_the_password_of_an_address_that_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    for (store, urls) in ADDRESSES {
        for url in urls {
            for command in [
                &["race", "-S", "naive", "--buyers", "4"][..],
                &["compare", "-S", "naive", "-S", "conditional"],
                &["explore", "-S", "naive"],
                &["play", "-S", "naive"],
                &["replay", "-S", "naive", "--schedule", "AB"],
            ] {
                let at = ["--store", store, "--url", url];
                let said = printed(folder.path(), &[command, &at].concat(), PASSWORD);
                assert!(said.contains("error: "), "{command:?} {url}: {said}");
            }
        }
    }
    // Where a file makes no sense, its line is shown.
    let lines = [
        "bad = \"host=localhost password=s3cret\"",
        "bad = \"redis://:s3cret@localhost\"",
        "password = \"s3cret\"",
    ];
    for line in lines {
        fs::write(folder.path().join("shop.toml"), format!("store = \"sqlite\"\n{line}\n"))
            .unwrap();
        let said = printed(folder.path(), &["explore", "--checkout", "shop.toml"], PASSWORD);
        assert!(said.contains("2 | ") && said.contains("***"), "{said}");
    }
    // Where a command line makes no sense, its words are repeated.
    for args in [
        &["race", "postgres://me:s3cret@localhost/x"][..],
        &["check", "postgres://me:s3cret@localhost/x"],
        &["race", "-S", "http://me:s3cret@localhost/x"],
    ] {
        printed(folder.path(), args, PASSWORD);
    }
}

#[test]
fn a_running_shop_is_named_without_its_password_and_the_rest_of_its_address_is_kept() {
    let shop = RunningShop::open(false);
    let host = shop.url.trim_start_matches("http://");
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in oversell_sim::unstable::checkout::starter(StoreKind::Http) {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let url = format!("http://me:s3cret@{host}");
    for format in ["table", "json", "markdown", "html", "github"] {
        let args = ["race", "--checkout", "checkout.toml", "--buyers", "20", "--format", format];
        let more = ["--url", &url, "--junit", "junit.xml"];
        let said = printed(folder.path(), &[&args[..], &more].concat(), PASSWORD);
        assert!(said.contains(host) && !said.contains("could not"), "{format}: {said}");
        let junit = fs::read_to_string(folder.path().join("junit.xml")).unwrap();
        assert!(!junit.contains(PASSWORD), "{junit}");
        if format == "json" {
            assert!(said.contains(&format!("--url http://me@{host}")), "{said}");
        }
    }
    // The same where the file has it, and in errors.
    let path = folder.path().join("checkout.toml");
    let text = fs::read_to_string(&path).unwrap();
    for url in
        [url.clone(), "http://me:s3cret@127.0.0.1:1".into(), "https://me:s3cret@localhost".into()]
    {
        let named = |line: &str| match line.starts_with("url") {
            true => format!("url = \"{url}\"\n"),
            false => format!("{line}\n"),
        };
        fs::write(&path, text.lines().map(named).collect::<String>()).unwrap();
        let said = printed(folder.path(), &["check", "--checkout", "checkout.toml"], PASSWORD);
        assert!(said.contains("127.0.0.1") || said.contains("localhost"), "{said}");
    }
}

#[test]
fn a_database_is_raced_by_its_url_and_no_report_has_the_password() {
    let folder = tempfile::tempdir().unwrap();
    for store in [StoreKind::Postgres, StoreKind::Mysql, StoreKind::Redis] {
        if !has(store) {
            continue;
        }
        let settings = Settings { store, relaxed: true, ..Settings::default() };
        let target =
            RaceTarget::open(&settings, None, &Address::default(), &Control::default()).unwrap();
        let url = target.server().unwrap().url();
        let end = url.find(['@', '&']).unwrap_or(url.len());
        let password = url[..end].rsplit_once([':', '=']).unwrap().1;
        assert!(password.len() >= 32, "{url}");
        for format in ["json", "table"] {
            let args =
                ["race", "-S", "naive", "--store", store.name(), "--buyers", "5", "--url", &url];
            let said =
                printed(folder.path(), &[&args[..], &["--format", format]].concat(), password);
            assert!(said.contains("--url"), "{said}");
        }
    }
}

#[cfg(unix)]
#[test]
fn what_an_application_prints_is_kept_where_no_other_user_reads_it() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("shop.toml"),
        "[app]\nurl = \"http://127.0.0.1:{port}\"\nlog = \"shop.log\"\ncommand = [\"false\"]\n[upstream.redis]\n\
         [[step]]\nhttp = \"GET /\"\n[audit]\nstock = \"GET /\"\norders = \"GET /\"\n",
    )
    .unwrap();
    if !has(StoreKind::Redis) {
        return;
    }
    let said = printed(folder.path(), &["doctor", "--app", "shop.toml"], PASSWORD);
    let log = fs::metadata(folder.path().join("shop.log"));
    let log = log.unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!(log.permissions().mode() & 0o077, 0, "{said}");
}
