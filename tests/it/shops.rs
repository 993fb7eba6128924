//! Shops in other languages, with what they need from the package registries of these: installed once, into a place of
//! its own beside what the compiler makes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::listed::miss_program;

/// A place with everything that some shops need.
pub(crate) struct Place {
    /// Where programs are looked for.
    pub(crate) path: String,
    /// Where packages of Node.js are.
    pub(crate) modules: PathBuf,
    /// The place itself: of a shop that is a package of Node.js, a copy of its folder.
    pub(crate) folder: PathBuf,
}

/// Where the shops' own files are.
pub(crate) fn shops() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shops")
}

/// Installs what shops in this language need, or what a browser needs to check pages, unless that has been done; none if
/// the language is not there.
pub(crate) fn place(language: &str) -> Option<Place> {
    let tool = match language {
        "python" => "python3",
        "rust" => "cargo",
        _ => "npm",
    };
    if Command::new(tool).arg("--version").output().is_err() {
        miss_program(&format!("{tool} is not installed"));
        return None;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shops");
    let place = target.join(language);
    fs::create_dir_all(&target).unwrap();
    // Tests run side by side, in processes of their own.
    let lock = File::create(target.join(format!("{language}.lock"))).unwrap();
    lock.lock().unwrap();
    let done = target.join(format!("{language}.done"));
    if !done.exists() {
        install(language, &place);
        fs::write(done, "").unwrap();
    }
    let programs = match language {
        "python" => place.join("bin"),
        "rust" => place.join("debug"),
        _ => place.clone(),
    };
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    Some(Place { path, modules: place.join("node_modules"), folder: place })
}

fn install(language: &str, place: &Path) {
    let from = match language {
        "browser" => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser"),
        _ => shops().join(language),
    };
    match language {
        "python" => {
            run(Command::new("python3").args(["-m", "venv"]).arg(place));
            let pip = place.join("bin/pip");
            run(Command::new(pip)
                .args(["install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(from.join("requirements.txt")));
        }
        "rust" => run(Command::new("cargo")
            .args(["build", "--locked", "--quiet", "--target-dir"])
            .arg(place)
            .current_dir(from)),
        _ => {
            copy(&from, place);
            run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(place));
            let has_build =
                fs::read_to_string(place.join("package.json")).unwrap().contains("\"build\"");
            if has_build {
                run(Command::new("npm").args(["run", "build"]).current_dir(place));
            }
        }
    }
}

/// Copies the files of a folder, and those in its folders.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        // Where a reader has installed the shop in its own folder, that is left there.
        if entry.file_name() == "node_modules" || entry.file_name() == ".evershop" {
            continue;
        }
        match path.is_dir() {
            true => copy(&path, &to),
            false => drop(fs::copy(&path, &to).unwrap()),
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
