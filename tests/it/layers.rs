//! The layers of the library: each module at the root imports only from those that stand above it in `src/lib.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules at the root of the library, the lowest first, as `src/lib.rs` lists them.
fn layers() -> Vec<String> {
    let lib = fs::read_to_string("src/lib.rs").unwrap();
    let name = |line: &str| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    };
    lib.lines().filter_map(name).collect()
}

/// Every Rust file below a place.
fn files(place: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false if path.extension().is_some_and(|end| end == "rs") => found.push(path),
            false => {}
        }
    }
    found
}

/// A text without comments and without the tests at its end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.fold(String::new(), |all, line| all + line + "\n")
}

/// The modules at the root that a code names: the first words of paths from `crate`, alone or in braces.
fn named(code: &str) -> Vec<String> {
    let word = |text: &str| {
        let end = text.find(|sign: char| !sign.is_alphanumeric() && sign != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let mut found = Vec::new();
    for path in code.split("crate::").skip(1) {
        let Some(group) = path.strip_prefix('{') else {
            found.push(word(path));
            continue;
        };
        let mut depth = 1;
        for (place, sign) in group.char_indices() {
            if depth == 1 && (place == 0 || group[..place].ends_with(',')) {
                found.push(word(group[place..].trim_start()));
            }
            depth += i32::from(sign == '{') - i32::from(sign == '}');
            if depth == 0 {
                break;
            }
        }
    }
    found
}

#[test]
fn each_layer_imports_only_from_layers_below_it() {
    let layers = layers();
    let level: BTreeMap<&str, usize> =
        layers.iter().enumerate().map(|(level, name)| (name.as_str(), level)).collect();
    assert!(level.len() > 10, "{layers:?}");
    let mut wrong = Vec::new();
    for (name, own) in &level {
        let folder = PathBuf::from(format!("src/{name}"));
        let of_layer = match folder.is_dir() {
            true => files(&folder),
            false => vec![folder.with_extension("rs")],
        };
        for file in of_layer {
            let names = named(&code(&fs::read_to_string(&file).unwrap()));
            let upward = names.iter().filter(|other| level.get(other.as_str()) > Some(own));
            wrong.extend(upward.map(|other| format!("{} imports from {other}", file.display())));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn an_import_is_seen_alone_and_in_braces_and_not_in_a_comment() {
    assert_eq!(named("use crate::base::error::Error;"), ["base"]);
    assert_eq!(named("use crate::{base::{clock, error}, domain::op};"), ["base", "domain"]);
    assert_eq!(named("pub(in crate::stores) fn f() { crate::base::f() }"), ["stores", "base"]);
    assert_eq!(
        named(&code("f(); // crate::cli\n/// [`x`](crate::cli)\nuse crate::base;")),
        ["base"]
    );
}

#[test]
fn the_map_names_every_layer_and_no_file_that_is_not_there() {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let map = text.split("## The map").nth(1).unwrap().split("\n## ").next().unwrap();
    let quoted = |text: &str| -> Vec<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let mut missing = Vec::new();
    let mut headed = Vec::new();
    for line in map.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            headed.push(quoted(heading)[0].clone());
        } else if line.starts_with("| `") {
            let folder = Path::new("src").join(headed.last().unwrap());
            let names = quoted(line.split('|').nth(1).unwrap());
            missing.extend(names.into_iter().filter(|name| !folder.join(name).exists()));
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    let bare = |name: &String| name.trim_end_matches(".rs").trim_end_matches('/').to_owned();
    let mut headed: Vec<String> = headed.iter().map(bare).collect();
    let mut layers = layers();
    headed.sort();
    layers.sort();
    assert_eq!(headed, layers);
}
