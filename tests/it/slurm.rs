//! A Slurm cluster of one machine, for tests: its own daemons, with their keys, ports and files.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::servers::eventually;

/// The daemons, with the Debian package of each. The first knows users by a key, the second keeps the queue, and the third
/// runs jobs.
pub(crate) const DAEMONS: [(&str, &str); 3] =
    [("munged", "munge"), ("slurmctld", "slurmctld"), ("slurmd", "slurmd")];

/// A cluster. Dropping it ends its daemons.
pub(crate) struct Slurm {
    daemons: Vec<Child>,
    dir: TempDir,
}

impl Slurm {
    /// Starts a cluster of one machine with so many processors, as far as the queue is told.
    pub(crate) fn of(processors: u32) -> Self {
        let mut cluster = Self { daemons: Vec::new(), dir: TempDir::new().unwrap() };
        let dir = cluster.dir.path().to_owned();
        let path = |name: &str| dir.join(name).display().to_string();
        for name in ["state", "spool"] {
            fs::create_dir(dir.join(name)).unwrap();
        }
        fs::write(cluster.configuration(), configuration(&dir, processors)).unwrap();
        said(Command::new("/usr/sbin/mungekey").args(["--create", "--keyfile", &path("key")]));
        let files = [
            ["--key-file", &path("key")],
            ["--socket", &path("munge")],
            ["--pid-file", &path("munge.pid")],
            ["--seed-file", &path("seed")],
        ];
        cluster.start("munged", &[&["--foreground", "--force"], files.as_flattened()].concat());
        eventually("munged listens", || dir.join("munge").exists());
        cluster.start("slurmctld", &["-D"]);
        cluster.start("slurmd", &["-D"]);
        eventually("the machine is idle", || {
            let asked = cluster.command("sinfo").args(["--noheader", "--format=%T"]).output();
            asked.is_ok_and(|answer| answer.stdout == b"idle\n")
        });
        cluster
    }

    /// The file by which commands find the cluster: `SLURM_CONF` names it.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.dir.path().join("slurm.conf")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.configuration()).stdin(Stdio::null());
        command
    }

    fn start(&mut self, daemon: &str, args: &[&str]) {
        let log = fs::File::create(self.dir.path().join(format!("{daemon}.log"))).unwrap();
        let mut command = self.command(&format!("/usr/sbin/{daemon}"));
        command.args(args).stdout(log.try_clone().unwrap()).stderr(log);
        self.daemons.push(command.spawn().unwrap());
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        // The machine first, then the queue.
        while let Some(mut daemon) = self.daemons.pop() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// What a command prints, which may not fail.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The configuration of a cluster whose files are in this folder. Its daemons run as the user who runs the test, and jobs are
/// not confined.
fn configuration(dir: &Path, processors: u32) -> String {
    let dir = dir.display();
    let (user, host) = (said(Command::new("id").arg("-un")), said(Command::new("uname").arg("-n")));
    let host = host.split('.').next().unwrap();
    let taken = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [queue, machine] = taken.map(|free| free.local_addr().unwrap().port());
    format!(
        "ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={queue}
SlurmdPort={machine}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={dir}/munge
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool
SlurmctldPidFile={dir}/slurmctld.pid
SlurmdPidFile={dir}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={processors}
PartitionName=all Nodes={host} Default=YES
"
    )
}
