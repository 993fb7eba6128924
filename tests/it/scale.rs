//! The recipes for several machines come to the report of one. Those for GNU parallel, make and Slurm are run there; of the others
//! the commands are run, with the variables that a scheduler sets.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

use crate::examples::page::{Page, pages};
use crate::listed::miss_program;
use crate::slurm::{DAEMONS, Slurm};

/// The page with the recipes. Its files are read here.
pub(crate) const PAGE: &str = "docs/how-to/scale.md";

/// How many seeds the recipes have, and how many they have here.
const SEEDS: (&str, &str) = ("1_000_000", "300");

/// How many parts.
const PARTS: u32 = 7;

/// A folder with the files of the page.
struct Site(TempDir);

impl Site {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let is_it = |page: &Page| page.path == Path::new(PAGE);
        let page = pages().into_iter().find(is_it).unwrap();
        for block in page.blocks() {
            let Some(file) = block.file else { continue };
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, block.text.replace(SEEDS.0, SEEDS.1)).unwrap();
        }
        fs::create_dir(folder.path().join("bin")).unwrap();
        symlink(cargo_bin("oversell-sim"), folder.path().join("bin/oversell-sim")).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn yaml(&self, file: &str) -> Yaml {
        let text = fs::read_to_string(self.path(file)).unwrap();
        YamlLoader::load_from_str(&text).unwrap().remove(0)
    }

    /// What lines of a shell print, which may not fail.
    fn run(&self, lines: &str, variables: &[(&str, String)]) -> String {
        let mut shell = Command::new("bash");
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        shell.args(["-e", "-o", "pipefail", "-c", lines]).current_dir(&self.0).env("PATH", path);
        shell.envs(variables.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        shell.env_remove("COLUMNS").env_remove("GITHUB_STEP_SUMMARY").env("HOME", self.0.path());
        let output = shell.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{lines}\n{said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes sure that the parts which are there come to the report of one machine.
    fn check(&self) {
        let command = format!("oversell-sim simulate shop.toml --seeds {} --format json", SEEDS.1);
        let alone = self.run(&command, &[]);
        assert_eq!(self.run("oversell-sim merge part-*.json --format json", &[]), alone);
    }
}

/// Whether a program is installed.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        miss_program(&format!("{program} is not installed"));
    }
    found
}

#[test]
fn gnu_parallel_makes_the_parts_and_makes_those_again_that_failed() {
    if !has("parallel") {
        return;
    }
    let site = Site::new();
    // The fourth part fails at first.
    let program = fs::read_link(site.path("bin/oversell-sim")).unwrap();
    fs::remove_file(site.path("bin/oversell-sim")).unwrap();
    let flaky = format!(
        "#!/bin/bash\ncase \"$*\" in *slice:4/7*) [ -e tried ] || {{ touch tried; kill -9 $$; }} ;; esac\nexec {} \"$@\"\n",
        program.display()
    );
    fs::write(site.path("flaky"), flaky).unwrap();
    site.run("chmod +x flaky && ln -s ../flaky bin/oversell-sim", &[]);
    let said = site.run("bash parallel.sh", &[]);
    assert!(said.contains(&format!("in {} seeds", SEEDS.1)), "{said}");
    assert!(site.path("tried").exists(), "a part was killed");
    site.check();
}

#[test]
fn make_makes_the_parts_that_are_not_there() {
    if !has("make") {
        return;
    }
    let site = Site::new();
    site.run("make --jobs 2", &[]);
    site.check();
    let before = fs::metadata(site.path("part-1.json")).unwrap().modified().unwrap();
    fs::remove_file(site.path("part-3.json")).unwrap();
    let said = site.run("make --jobs 2", &[]);
    assert!(said.contains("slice:3/7") && !said.contains("slice:1/7"), "{said}");
    assert_eq!(fs::metadata(site.path("part-1.json")).unwrap().modified().unwrap(), before);
    let command = format!("oversell-sim simulate shop.toml --seeds {} --format json", SEEDS.1);
    assert_eq!(fs::read_to_string(site.path("report.json")).unwrap(), site.run(&command, &[]));
}

#[test]
fn an_array_job_in_a_slurm_cluster_makes_the_parts_and_they_are_merged() {
    let is_there = |(daemon, _): &&(&str, &str)| Path::new("/usr/sbin").join(daemon).exists();
    if let Some((_, package)) = DAEMONS.iter().find(|daemon| !is_there(daemon)) {
        return miss_program(&format!("{package} is not installed"));
    }
    if !has("sbatch") {
        return;
    }
    // Two parts at a time.
    let (slurm, site) = (Slurm::of(8), Site::new());
    let sbatch = "timeout 120 sbatch --wait parts.slurm && oversell-sim merge part-*.json";
    let configuration = slurm.configuration().display().to_string();
    let said = site.run(sbatch, &[("SLURM_CONF", configuration)]);
    assert!(said.contains(&format!("in {} seeds", SEEDS.1)), "{said}");
    site.check();
}

#[test]
fn the_array_job_of_hyperqueue_makes_the_parts() {
    let site = Site::new();
    let folder = site.0.path().display().to_string();
    for part in 1..=PARTS {
        let variables = [("HQ_TASK_ID", part.to_string()), ("HQ_SUBMIT_DIR", folder.clone())];
        site.run("bash task.sh", &variables);
    }
    site.check();
}

#[test]
fn the_indexed_job_of_kubernetes_makes_the_parts() {
    let site = Site::new();
    let job = site.yaml("job.yaml");
    let spec = &job["spec"];
    assert_eq!(spec["completions"].as_i64(), Some(PARTS.into()));
    assert_eq!(spec["completionMode"].as_str(), Some("Indexed"));
    let container = &spec["template"]["spec"]["containers"][0];
    assert_eq!(container["command"][0].as_str(), Some("sh"));
    let script = container["args"][0].as_str().unwrap();
    for index in 0..PARTS {
        site.run(script, &[("JOB_COMPLETION_INDEX", index.to_string())]);
    }
    site.check();
}

#[test]
fn the_matrices_of_github_and_gitlab_make_the_parts_and_merge_them() {
    let site = Site::new();
    let jobs = &site.yaml(".github/workflows/seeds.yml")["jobs"];
    let script = |job: &str, name: &str| {
        let steps = jobs[job]["steps"].as_vec().unwrap();
        let step = steps.iter().find(|step| step["name"].as_str() == Some(name)).unwrap();
        step["run"].as_str().unwrap().to_owned()
    };
    let parts = jobs["part"]["strategy"]["matrix"]["part"].as_vec().unwrap();
    for part in parts {
        let part = part.as_i64().unwrap().to_string();
        site.run(&script("part", "Simulate a part").replace("${{ matrix.part }}", &part), &[]);
    }
    site.run(&script("merge", "Merge the parts"), &[]);
    assert!(site.path("results.xml").exists());
    site.check();

    let site = Site::new();
    let jobs = site.yaml(".gitlab-ci.yml");
    let script = |job: &str| jobs[job]["script"][0].as_str().unwrap().to_owned();
    assert_eq!(jobs["part"]["parallel"].as_i64(), Some(PARTS.into()));
    for part in 1..=PARTS {
        let variables = [("CI_NODE_INDEX", part.to_string()), ("CI_NODE_TOTAL", PARTS.to_string())];
        site.run(&script("part"), &variables);
    }
    site.run(&script("merge"), &[]);
    assert!(site.path("results.xml").exists());
    site.check();
}
