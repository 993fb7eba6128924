//! What `packaging/` makes holds what `docs/how-to/install.md` says of it, wherever its scripts are called from.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

use crate::docs::read;
use crate::listed::miss_program;

/// A folder with `program`, which runs the one that was built and is small to pack.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("program");
    let built = cargo_bin("oversell-sim");
    fs::write(&program, format!("#!/bin/sh\nexec '{}' \"$@\"\n", built.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name)
}

fn ran(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What is in an archive, without the folder at its top.
fn listed(archive: &Path) -> Vec<String> {
    let names = ran(Command::new("tar").arg("-tzf").arg(archive));
    names.lines().filter_map(|name| Some(name.split_once('/')?.1.to_owned())).collect()
}

#[test]
fn an_archive_holds_each_manual_page_the_completions_and_what_the_formula_installs() {
    let folder = folder();
    let target = "x86_64-unknown-linux-gnu";
    let mut pack = Command::new(script("archive.sh"));
    ran(pack.args(["program", target, "out"]).current_dir(folder.path()));
    let version = env!("CARGO_PKG_VERSION");
    let archive = folder.path().join(format!("out/oversell-sim-{version}-{target}.tar.gz"));
    let names = listed(&archive);
    let has = |name: &str| names.iter().any(|listed| listed == name);
    for name in ["oversell-sim", "LICENSE-MIT", "LICENSE-APACHE", "man/man1/oversell-sim-race.1"] {
        assert!(has(name), "{name} is not among {names:?}");
    }
    assert!(names.iter().filter(|name| name.ends_with(".1")).count() > 15, "{names:?}");
    let formula = read("packaging/homebrew/oversell-sim.rb.in");
    let installs = formula.lines().filter(|line| line.contains(".install "));
    let mut count = 0;
    for line in installs {
        let file = line.split('"').nth(1).unwrap();
        let found = file.split_once('*').map_or_else(
            || has(file),
            |(begin, _)| names.iter().any(|name| name.starts_with(begin)),
        );
        assert!(found, "the formula installs {file}: {names:?}");
        count += 1;
    }
    assert_eq!(count, 5, "{formula}");
}

#[test]
fn the_npm_packages_and_the_wheel_have_both_licences() {
    let wheel: toml::Table = read("packaging/python/pyproject.toml").parse().unwrap();
    let of_wheel = wheel["project"]["license-files"].as_array().unwrap();
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(of_wheel.iter().any(|file| file.as_str() == Some(name)), "{of_wheel:?}");
        assert_eq!(read(&format!("packaging/python/{name}")), read(name));
    }
    assert_eq!(wheel["project"]["readme"].as_str(), Some("README.md"));
    assert_eq!(read("packaging/python/README.md"), read("README.md"));
    if !Command::new("npm").arg("--version").output().is_ok_and(|output| output.status.success()) {
        miss_program("npm is not installed: apt-get install nodejs npm");
        return;
    }
    let folder = folder();
    let mut pack = Command::new(script("npm/build.sh"));
    ran(pack.args(["out", "linux-x64=program"]).current_dir(folder.path()));
    let archives: Vec<_> = fs::read_dir(folder.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(archives.len(), 2, "{archives:?}");
    for archive in archives {
        let names = listed(&archive);
        for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(names.iter().any(|listed| listed == name), "{}: {names:?}", archive.display());
        }
    }
}

#[test]
fn the_copyright_of_the_debian_package_has_both_licences_as_they_are() {
    let copyright = read("packaging/debian/copyright");
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let package = &manifest["package"]["metadata"]["deb"];
    assert_eq!(package["license-file"][0].as_str(), Some("packaging/debian/copyright"));
    let words =
        |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    assert!(copyright.contains("License: MIT or Apache-2.0\n"), "{copyright}");
    assert!(copyright.contains("/usr/share/common-licenses/Apache-2.0"), "{copyright}");
    let license = read("LICENSE-MIT");
    let (who, what) = license.split_once("\n\nPermission").unwrap();
    assert!(copyright.contains(who.rsplit("(c) ").next().unwrap()), "{copyright}");
    let text = words(&format!("Permission{what}"));
    assert!(words(&copyright.replace("\n .\n", "\n")).contains(&text), "{copyright}");
}
