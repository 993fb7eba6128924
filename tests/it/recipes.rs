//! The recipes for CI servers run: the shell steps of the workflows in the documentation, with the files beside them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind;
use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

use crate::examples::page::{Page, pages};
use crate::listed::has;
use crate::servers::open_dir;

/// The page with the recipes. Its files are read here.
pub(crate) const PAGE: &str = "docs/how-to/ci-recipes.md";

const GITHUB: &str = ".github/workflows/oversell.yml";

const GITLAB: &str = ".gitlab-ci.yml";

/// What a workflow installs, and what is installed here in any case: these programs only write down how they were called.
const INSTALLERS: [&str; 3] = ["cargo", "sudo", "apt-get"];

/// A repository as the page has its reader make it.
struct Repository {
    dir: TempDir,
}

impl Repository {
    fn new() -> Self {
        let dir = open_dir();
        for block in page().blocks() {
            let Some(file) = block.file else { continue };
            let file = dir.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, block.text).unwrap();
        }
        let bin = dir.path().join(".bin");
        fs::create_dir(&bin).unwrap();
        symlink(cargo_bin("oversell-sim"), bin.join("oversell-sim")).unwrap();
        for name in INSTALLERS {
            let path = bin.join(name);
            fs::write(&path, "#!/bin/sh\necho \"${0##*/} $*\" >>\"$INSTALLED\"\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn workflow(&self, file: &str) -> Yaml {
        YamlLoader::load_from_str(&self.read(file)).unwrap().remove(0)
    }

    /// Puts a checkout that looks before it takes in the place of the safe one.
    fn break_checkout(&self) {
        let safe = self.read("shop/checkout.toml");
        let take = "sql         = \"UPDATE product SET stock = stock - :qty WHERE id = :item AND stock >= :qty\"\n\
                    sold_out_if = \"rows = 0\"\n";
        assert!(safe.contains(take), "{safe}");
        let look = "sql = \"SELECT stock FROM product WHERE id = :item\"\nsave = \"stock\"\n\
                    sold_out_if = \"stock < qty\"\n\n[[step]]\nname = \"write\"\n\
                    sql = \"UPDATE product SET stock = :stock - :qty WHERE id = :item\"\n";
        fs::write(self.path("shop/checkout.toml"), safe.replace(take, look)).unwrap();
    }

    /// Runs a script as a CI server does: its exit code, and what it printed.
    fn run(&self, script: &str) -> (i32, String) {
        let path = format!("{}:{}", self.path(".bin").display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell.args(["-e", "-o", "pipefail", "-c", &format!("exec 2>&1\n{script}")]);
        shell.current_dir(self.dir.path()).stdin(Stdio::null());
        shell.env("PATH", path).env("INSTALLED", self.path("installed"));
        shell.env("GITHUB_STEP_SUMMARY", self.path("summary.md"));
        shell.env("GITHUB_WORKSPACE", self.dir.path()).env("CARGO_HOME", self.path(".cargo"));
        let output = shell.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    /// Runs steps, each in a shell of its own, up to the first that fails.
    fn run_each(&self, steps: &[String]) -> (i32, String) {
        let mut said = String::new();
        for step in steps {
            let (code, more) = self.run(step);
            said += &more;
            if code != 0 {
                return (code, said);
            }
        }
        (0, said)
    }
}

fn page() -> Page {
    let is_it = |page: &Page| page.path == Path::new(PAGE);
    pages().into_iter().find(is_it).unwrap()
}

/// The shell steps of a workflow for GitHub.
fn steps(workflow: &Yaml) -> Vec<String> {
    let steps = workflow["jobs"]["races"]["steps"].as_vec().unwrap();
    steps.iter().filter_map(|step| step["run"].as_str().map(str::to_owned)).collect()
}

/// The script of a job for GitLab, which runs all of it in one shell.
fn script(workflow: &Yaml) -> String {
    let lines = ["before_script", "script"].map(|part| workflow["races"][part].as_vec().unwrap());
    let lines = lines.into_iter().flatten().map(|line| line.as_str().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_recipe_for_github_passes_a_safe_checkout_and_annotates_a_broken_one() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let repository = Repository::new();
    let steps = steps(&repository.workflow(GITHUB));
    assert_eq!(steps.len(), 3, "{steps:?}");
    let (code, said) = repository.run_each(&steps);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("2 scenarios: 2 ok") && !said.contains("::error"), "{said}");
    assert!(
        repository
            .read("results.xml")
            .contains("tests=\"2\" skipped=\"0\" failures=\"0\" errors=\"0\"")
    );
    assert!(repository.read("summary.md").contains("## oversell-sim check"));
    let installed = repository.read("installed");
    let version = env!("CARGO_PKG_VERSION");
    for words in [&format!("cargo install --locked oversell-sim@{version}\n"), "postgresql"] {
        assert!(installed.contains(words), "{installed}");
    }

    repository.break_checkout();
    let (code, said) = repository.run_each(&steps);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("\n::error file=races/every-order.toml,title="), "{said}");
    assert!(repository.read("results.xml").contains("evidence = proved, but it was broken"));
    assert!(repository.read("summary.md").contains("oversold        2 units promised, 1 in stock"));
}

#[test]
fn the_recipe_for_gitlab_passes_a_safe_checkout_and_fails_a_broken_one() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let repository = Repository::new();
    let workflow = repository.workflow(GITLAB);
    let (code, said) = repository.run(&script(&workflow));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("2 scenarios: 2 ok"), "{said}");
    let reported = &workflow["races"]["artifacts"]["reports"]["junit"];
    let junit = repository.read(reported.as_str().unwrap());
    assert!(junit.contains("failures=\"0\" errors=\"0\""), "{junit}");

    repository.break_checkout();
    let (code, said) = repository.run(&script(&workflow));
    assert_eq!(code, 1, "{said}");
    assert!(repository.read("results.xml").contains("again: oversell-sim replay --checkout "));
}
