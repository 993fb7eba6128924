//! Where a report goes: standard output, or a file that is there whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use oversell_sim::error::Error;
use tempfile::NamedTempFile;

/// Where to write, made sure of before the work begins.
#[derive(Debug)]
pub(crate) enum Output {
    Stdout,
    /// A new file beside the one it will replace when it is whole.
    File {
        draft: NamedTempFile,
        path: PathBuf,
    },
    /// Something that is no regular file, such as a pipe or `/dev/null`.
    Special {
        file: File,
        path: PathBuf,
    },
}

impl Output {
    /// Opens `path`, or standard output if there is none. `flag` is for messages.
    pub(crate) fn open(path: Option<&Path>, flag: &str) -> Result<Self, Error> {
        let Some(path) = path else { return Ok(Self::Stdout) };
        let refused = |error: io::Error| {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "its folder does not exist".into(),
                io::ErrorKind::PermissionDenied => "permission denied".into(),
                _ => error.to_string(),
            };
            Error::input(format!("cannot write {flag} {}: {why}", path.display()))
        };
        // A link is written through, not replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if path.exists() && !path.is_file() {
            let file = OpenOptions::new().write(true).open(&path).map_err(refused)?;
            return Ok(Self::Special { file, path });
        }
        if path.exists() {
            // A file that may not be written must not be replaced either.
            OpenOptions::new().write(true).open(&path).map_err(refused)?;
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let draft = draft().tempfile_in(folder).map_err(refused)?;
        Ok(Self::File { draft, path })
    }

    /// Whether this is standard output.
    pub(crate) fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// Writes all of it.
    pub(crate) fn write(self, text: &str) -> Result<(), Error> {
        let failed = |path: &Path, error: io::Error| {
            Error::world(format!("cannot write {}: {error}", path.display()))
        };
        let plain = || anstream::adapter::strip_str(text).to_string();
        match self {
            Self::Stdout => to_stdout(text),
            Self::File { mut draft, path } => draft
                .write_all(plain().as_bytes())
                .and_then(|()| draft.persist(&path).map_err(|error| error.error))
                .map(|_| ())
                .map_err(|error| failed(&path, error)),
            Self::Special { mut file, path } => file
                .write_all(plain().as_bytes())
                .or_else(ignore_broken_pipe)
                .map_err(|error| failed(&path, error)),
        }
    }
}

/// A draft with the permissions any new file would get.
fn draft() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".oversell-sim-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

/// Prints, without colour where that is not wanted.
pub(crate) fn to_stdout(text: &str) -> Result<(), Error> {
    let mut stdout = anstream::stdout();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .or_else(ignore_broken_pipe)
        .map_err(|error| Error::world(format!("cannot write to standard output: {error}")))
}

/// Prints beside the output. Who closed standard error does not want to hear of it.
pub(crate) fn to_stderr(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Whoever reads has seen enough, as `head` does: no error.
fn ignore_broken_pipe(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}
