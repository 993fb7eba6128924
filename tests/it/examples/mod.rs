//! Every command in README.md and docs/ is run, and prints what the document shows.
//!
//! The commands of a page are run in order, by a shell, in a folder that holds what the repository holds; files that the
//! page has the reader write are written there. After a change of what the tool prints, this writes its outputs into
//! the pages, with the times of the program that it names:
//!
//! ```sh
//! cargo build --release
//! REWRITE_EXAMPLES=target/release/oversell-sim cargo test --test it examples
//! ```

mod output;
pub(crate) mod page;

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind;
use tempfile::TempDir;

use crate::docs::{FIGURES, figures};
use crate::recipes;
use crate::scale;
use crate::servers::{installed, open_dir};
use crate::shops::place;
use output::{Certain, Shown, certain};
use page::{Block, Example, Page, pages};

/// Names the program whose outputs are to be written into the documents.
const REWRITE: &str = "REWRITE_EXAMPLES";

/// Commands that are not run here, each by how it begins, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo ", "it builds the project anew; .ci/run runs it"),
    (
        "python3 -m pip install ",
        "it installs packages, which the test has installed in another place",
    ),
    (
        "python3 -m pytest ",
        "it takes a package that the test does without; the same in Node.js is run",
    ),
    ("python3 -m venv ", "it installs packages, which the test has installed in another place"),
    ("oversell-sim explore --app tests/shops/oscar/", "it takes minutes; tests/it/apps.rs runs it"),
    (
        "oversell-sim explore --app tests/shops/cartridge/",
        "it installs an application; it was run once, as the page says",
    ),
    (
        "oversell-sim explore --app tests/shops/wordpress/",
        "it installs an application; it was run once, as the page says",
    ),
    (
        "oversell-sim explore --app tests/shops/redmine/",
        "it installs an application; it was run once, as the page says",
    ),
    (
        "oversell-sim explore --app tests/shops/strapi/",
        "it installs an application; it was run once, as the page says",
    ),
    ("export ", "it is about the packages of the line before"),
];

/// How often a race, or an application, may come out in another form than the document shows.
const RACES: usize = 5;

/// Where a page's commands are run.
pub(crate) struct Folder {
    pub(crate) dir: TempDir,
    pub(crate) path: String,
    /// Where packages of Node.js are.
    modules: PathBuf,
    stores: Vec<StoreKind>,
    has_shops: bool,
}

impl Folder {
    pub(crate) fn new(program: &Path) -> Self {
        let dir = open_dir();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for entry in fs::read_dir(root).unwrap().flatten() {
            let name = entry.file_name();
            // What a page writes into `.github` is for a repository of its own.
            if name != "target" && name != ".git" && name != ".github" {
                symlink(entry.path(), dir.path().join(name)).unwrap();
            }
        }
        let bin = dir.path().join(".bin");
        fs::create_dir(&bin).unwrap();
        symlink(program, bin.join("oversell-sim")).unwrap();
        let (python, node) = (place("python"), place("node"));
        let has_shops = python.is_some() && node.is_some();
        let path = python.map_or_else(|| std::env::var("PATH").unwrap(), |python| python.path);
        let path = format!("{}:{path}", bin.display());
        let modules = node.map(|node| node.modules).unwrap_or_default();
        Self { dir, path, modules, stores: installed(), has_shops }
    }

    /// Whether everything is installed that a command needs; in CI everything is.
    pub(crate) fn can_run(&self, command: &str) -> bool {
        let words: Vec<&str> = command.split_whitespace().collect();
        let store = words.iter().position(|word| *word == "--store").map(|place| words[place + 1]);
        let has = |name: &str| self.stores.iter().any(|store| store.name() == name);
        let is_there = |names: &str| names.split(',').all(|name| name == "memory" || has(name));
        let all = ["sqlite", "postgres", "mysql", "redis", "etcd"];
        match words.get(1) {
            Some(&"stores" | &"survey") => all.into_iter().all(has),
            _ if words.contains(&"--app") || words.first() == Some(&"node") => {
                self.has_shops && ["postgres", "mysql", "redis"].into_iter().all(has)
            }
            _ if words.contains(&"--spec") => has("postgres"),
            _ if command.contains("redis-and-sql") => has("postgres") && has("redis"),
            _ if words.contains(&"--checkout") => store.map_or(has("postgres"), is_there),
            _ => store.is_none_or(is_there),
        }
    }

    /// What a command prints, unless it fails.
    fn run(&self, command: &str) -> Result<Vec<String>, String> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("exec 2>&1\n{command}")).stdin(Stdio::null());
        shell.current_dir(self.dir.path()).env("PATH", &self.path);
        shell.env("NODE_PATH", &self.modules).env_remove("RUST_BACKTRACE");
        shell.env_remove("COLUMNS");
        let output = shell.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        match output.status.success() {
            true => Ok(text.lines().map(str::to_owned).collect()),
            false => Err(format!("ends with {}:\n{text}", output.status)),
        }
    }

    /// What a command prints, in the parts that a document shows. Where the operating system decides, it is run until it
    /// comes out in the form that the document shows, a few times at most.
    fn shown(&self, block: &Block, example: &Example) -> Result<Vec<String>, String> {
        let what = Certain::of(&example.command);
        let shown = Shown::of(&example.output);
        let parts = certain(&shown.same_of(&example.output), what);
        // An application's own code takes time, which the search has to judge.
        let is_timed = what == Certain::Words || example.command.contains("--app");
        let runs = if is_timed { RACES } else { 1 };
        let mut last = Err("is not run".to_owned());
        for _ in 0..runs {
            last = self.run(&example.command).map(|fresh| shown.same_of(&fresh));
            let is_shown = block.language == "console";
            if last.as_ref().is_ok_and(|fresh| !is_shown || certain(fresh, what) == parts) {
                break;
            }
        }
        last
    }
}

/// Whether a command is listed as one that is not run here.
fn is_left_to_others(command: &str) -> bool {
    NOT_RUN.iter().any(|(beginning, _)| command.starts_with(beginning))
}

/// What came of a page's commands.
struct Outcome {
    /// The page, with their outputs as they are now.
    text: String,
    /// Outputs that are not what the page shows.
    different: Vec<String>,
    /// Commands that failed.
    failed: Vec<String>,
}

/// Runs a page's commands.
fn run(page: &Page, program: &Path) -> Outcome {
    let mut outcome = Outcome { text: page.text.clone(), different: vec![], failed: vec![] };
    let folder = LazyCell::new(|| Folder::new(program));
    let mut rewritten = Vec::new();
    for block in page.blocks() {
        if let Some(file) = &block.file {
            let file = folder.dir.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, &block.text).unwrap();
        }
        if !block.has_commands() {
            continue;
        }
        let mut fresh = String::new();
        for example in block.examples() {
            let is_run = !is_left_to_others(&example.command) && folder.can_run(&example.command);
            let output = match is_run.then(|| folder.shown(&block, &example)) {
                Some(Ok(output)) => output,
                Some(Err(why)) => {
                    let page = page.path.display();
                    outcome.failed.push(format!("{page}: $ {}\n{why}", example.command));
                    example.output.clone()
                }
                None => example.output.clone(),
            };
            let what = Certain::of(&example.command);
            let is_same = certain(&output, what) == certain(&example.output, what);
            if !is_same && block.language == "console" {
                let page = page.path.display();
                let (command, old, new) =
                    (&example.command, example.output.join("\n"), output.join("\n"));
                outcome
                    .different
                    .push(format!("{page}: $ {command}\nshows\n{old}\nand prints\n{new}\n"));
            }
            fresh.push_str(&format!("$ {}\n", example.command));
            for line in &output {
                fresh.push_str(line.trim_end());
                fresh.push('\n');
            }
        }
        if block.language == "console" {
            rewritten.push((block.place, fresh));
        }
    }
    // From the last to the first, so that the others stay where they are.
    for (place, fresh) in rewritten.into_iter().rev() {
        outcome.text.replace_range(place, &fresh);
    }
    outcome
}

/// Writes the tables that the program and its code know themselves.
fn rewrite_tables(root: &Path, program: &Path) {
    let path = root.join("docs/reference/report.md");
    let report = fs::read_to_string(&path).unwrap();
    let (before, table) = report.split_once(FIGURES).unwrap();
    let (_, after) = table.split_once("\n\n").unwrap();
    fs::write(&path, format!("{before}{}\n{after}", figures())).unwrap();
    let survey = Command::new(program).arg("survey").output().unwrap();
    assert!(survey.status.success(), "{}", String::from_utf8_lossy(&survey.stderr));
    fs::write(root.join("docs/reference/survey.md"), survey.stdout).unwrap();
}

#[test]
fn every_command_in_the_documents_prints_what_they_show() {
    let rewrite = std::env::var_os(REWRITE);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program =
        rewrite.as_ref().map_or_else(|| cargo_bin("oversell-sim"), |path| root.join(path));
    let program = program.canonicalize().unwrap();
    let all = pages();
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let program = program.as_path();
        let begin = |page| scope.spawn(move || run(page, program));
        let running: Vec<_> = all.iter().map(begin).collect();
        running.into_iter().map(|page| page.join().unwrap()).collect()
    });
    if rewrite.is_some() {
        for (page, outcome) in all.iter().zip(&outcomes).filter(|(_, it)| !it.different.is_empty())
        {
            fs::write(root.join(&page.path), &outcome.text).unwrap();
        }
        rewrite_tables(root, &program);
    }
    let failed: Vec<&str> = outcomes.iter().flat_map(|it| &it.failed).map(String::as_str).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let different: Vec<&str> =
        outcomes.iter().flat_map(|it| &it.different).map(String::as_str).collect();
    let is_held = rewrite.is_some() || different.is_empty();
    assert!(is_held, "{}\n{REWRITE} writes them anew", different.join("\n"));
}

#[test]
fn every_block_in_the_documents_is_run_compiled_or_read() {
    let library = fs::read_to_string("src/lib.rs").unwrap();
    for page in pages() {
        let blocks = page.blocks();
        for (place, block) in blocks.iter().enumerate() {
            let where_ = format!("{}:\n{}", page.path.display(), block.text);
            match block.language.as_str() {
                "console" | "sh" => assert!(!block.examples().is_empty(), "{where_}"),
                // What its recipes run, and read.
                "toml" | "sql" | "yaml" | "bash" | "make"
                    if [recipes::PAGE, scale::PAGE].map(Path::new).contains(&&*page.path) =>
                {
                    assert!(block.file.is_some(), "no file name: {where_}");
                }
                "toml" => {
                    let file =
                        block.file.as_ref().unwrap_or_else(|| panic!("no file name: {where_}"));
                    let is_run = |example: &Example| example.command.contains(file.as_str());
                    let reads =
                        |later: &Block| later.has_commands() && later.examples().iter().any(is_run);
                    assert!(blocks[place..].iter().any(reads), "no command reads {where_}");
                }
                // A program that a file or a command of the page names.
                "python" | "js" => {
                    let file =
                        block.file.as_ref().unwrap_or_else(|| panic!("no file name: {where_}"));
                    let names = |other: &Block| other.text.contains(file.as_str());
                    assert!(blocks.iter().any(names), "no file or command names {where_}");
                }
                "rust" => {
                    let include = format!("include_str!(\"../{}\")", page.path.display());
                    assert!(library.contains(&include), "not compiled: {where_}");
                }
                "text" => {
                    let is_command = |line: &str| line.trim_start().starts_with("$ ");
                    assert!(!block.text.lines().any(is_command), "a `console` block: {where_}");
                }
                other => panic!("what is {other}? {where_}"),
            }
        }
    }
}

#[test]
fn every_reason_not_to_run_a_command_has_its_command() {
    let commands: Vec<String> = pages()
        .iter()
        .flat_map(Page::blocks)
        .filter(Block::has_commands)
        .flat_map(|block| block.examples())
        .map(|example| example.command)
        .collect();
    for (beginning, reason) in NOT_RUN {
        let is_there = commands.iter().any(|command| command.starts_with(beginning));
        assert!(
            is_there,
            "no command begins with {beginning:?}, which is not run because {reason}"
        );
    }
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let all = pages();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = BTreeSet::new();
    for page in &all {
        for link in page.links().into_iter().filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => page.path.clone(),
                path => flat(&page.path.parent().unwrap().join(path)),
            };
            let is_there = root.join(&target).exists();
            let has_anchor = anchor.is_empty()
                || all.iter().any(|other| {
                    other.path == target && other.anchors().iter().any(|name| name == anchor)
                });
            if !is_there || !has_anchor {
                wrong.insert(format!("{}: {link}", page.path.display()));
            }
        }
    }
    assert_eq!(wrong, BTreeSet::new());
}

#[test]
fn the_index_names_every_page() {
    let all = pages();
    let index = all.iter().find(|page| page.path == Path::new("docs/README.md")).unwrap();
    let linked: Vec<PathBuf> =
        index.links().iter().map(|link| flat(&Path::new("docs").join(link))).collect();
    for page in all.iter().filter(|page| page.path.starts_with("docs") && page.path != index.path) {
        assert!(
            linked.contains(&page.path),
            "docs/README.md does not name {}",
            page.path.display()
        );
    }
}

#[test]
fn the_prose_says_who_acts_and_not_somebody_or_nobody() {
    let read = |path: &str| Page { path: path.into(), text: fs::read_to_string(path).unwrap() };
    let more = ["ARCHITECTURE.md", "CHANGELOG.md"].map(read);
    for page in pages().into_iter().chain(more) {
        // What the program prints is the program's to say.
        let mut prose = page.text.replace(&figures(), "").to_lowercase();
        for block in page.blocks() {
            prose = prose.replace(&block.text.to_lowercase(), "");
        }
        for word in ["somebody", "nobody", "anybody", "whoever"] {
            assert!(!prose.contains(word), "{} says {word}", page.path.display());
        }
    }
}

/// A path without `..`.
fn flat(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut flat, part| {
        match part.as_os_str() == ".." {
            true => drop(flat.pop()),
            false => flat.push(part),
        }
        flat
    })
}
