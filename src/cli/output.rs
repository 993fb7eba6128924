//! Where a report goes: standard output, or a file that is there whole or not at all.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::base::error::Error;
use crate::base::text::printable::{guarded, printable};
use crate::base::text::server_url::without_passwords;
use crate::render::Width;
use crate::stores::Address;
use tempfile::NamedTempFile;

use super::width;

/// Where to write, made sure of before the work begins.
#[derive(Debug)]
pub(crate) enum Output {
    Stdout,
    /// A file that is replaced when the new one is whole.
    File {
        path: PathBuf,
        flag: &'static str,
    },
    /// Something that is no regular file, such as a pipe or `/dev/null`.
    Special {
        file: File,
        path: PathBuf,
    },
}

impl Output {
    /// Makes sure that `path` can be written, or takes standard output if there is none. `flag` is
    /// for messages. Until the work is done, nothing is created that could be left behind.
    pub(crate) fn open(path: Option<&Path>, flag: &'static str) -> Result<Self, Error> {
        let Some(path) = path else { return Ok(Self::Stdout) };
        let refused = |error: io::Error| refused(flag, path, &error);
        if path.starts_with("/dev") || (path.exists() && !path.is_file()) {
            let file = OpenOptions::new().append(true).open(path).map_err(refused)?;
            return Ok(Self::Special { file, path: path.to_path_buf() });
        }
        // A link is written through, not replaced.
        let path = path
            .canonicalize()
            .or_else(|_| path.read_link().map(|to| folder_of(path).join(to)))
            .unwrap_or_else(|_| path.to_path_buf());
        if path.file_name().is_none() || path.to_string_lossy().ends_with('/') {
            return Err(refused(io::Error::other("it names a folder")));
        }
        if path.exists() {
            // A file that may not be written must not be replaced either.
            OpenOptions::new().write(true).open(&path).map_err(refused)?;
        }
        drop(draft(&path).map_err(refused)?);
        Ok(Self::File { path, flag })
    }

    /// Whether this is standard output.
    pub(crate) fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// How wide what is written may be: a file has no bound.
    pub(crate) fn width(&self) -> Width {
        if self.is_stdout() { width::of_stdout() } else { Width::UNBOUNDED }
    }

    /// Writes all of it.
    pub(crate) fn write(self, text: &str) -> Result<(), Error> {
        let failed = |path: &Path, error: io::Error| {
            Error::world(format!("cannot write {}: {error}", path.display()))
        };
        let text = shown(text);
        let plain = || anstream::adapter::strip_str(&text).to_string();
        match self {
            Self::Stdout => to_stdout(&text),
            Self::File { path, flag } => draft_of(&path, &plain())
                .and_then(|draft| {
                    if let Ok(old) = path.metadata() {
                        draft.as_file().set_permissions(old.permissions())?;
                    }
                    draft.persist(&path).map_err(|error| error.error)
                })
                .map(|_| ())
                .map_err(|error| Error::world(refused(flag, &path, &error).to_string())),
            Self::Special { mut file, path } => file
                .write_all(plain().as_bytes())
                .or_else(ignore_broken_pipe)
                .map_err(|error| failed(&path, error)),
        }
    }
}

/// Refuses two flags that name the same file.
pub(crate) fn refuse_same_file(flags: &[(&str, Option<&Path>)]) -> Result<(), Error> {
    for (place, (flag, path)) in flags.iter().enumerate() {
        let is_same = |(_, other): &&(&str, Option<&Path>)| path.is_some() && other == path;
        if let Some((other, _)) = flags[..place].iter().find(is_same) {
            return Err(Error::input(format!("{other} and {flag} must be different files")));
        }
    }
    Ok(())
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A draft beside the file that it is to become, with the permissions any new file would get.
fn draft(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".oversell-sim-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder_of(path))
}

/// A draft with this text.
pub(crate) fn draft_of(path: &Path, text: &str) -> io::Result<NamedTempFile> {
    let mut draft = draft(path)?;
    draft.write_all(text.as_bytes())?;
    Ok(draft)
}

/// Why a file cannot be written, and which flag named it.
fn refused(flag: &str, path: &Path, error: &io::Error) -> Error {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "its folder does not exist".into(),
        io::ErrorKind::PermissionDenied => "no permission for the file or its folder".into(),
        _ => error.to_string(),
    };
    Error::input(format!("cannot write {flag} {}: {why}", path.display()))
}

/// Prints, without colour where that is not wanted.
pub(crate) fn to_stdout(text: &str) -> Result<(), Error> {
    let mut stdout = anstream::stdout();
    stdout
        .write_all(shown(text).as_bytes())
        .and_then(|()| stdout.flush())
        .or_else(ignore_broken_pipe)
        .map_err(|error| Error::world(format!("cannot write to standard output: {error}")))
}

/// Prints beside the output. Who closed standard error does not want to hear of it.
pub(crate) fn to_stderr(text: &str) {
    let _ = anstream::stderr().write_all(shown(text).as_bytes());
}

/// Prints one line beside the output, whatever is in it.
pub(crate) fn line_to_stderr(line: &str) {
    to_stderr(&format!("{}\n", printable(line)));
}

/// A text as it leaves the program, wherever to: without passwords, and with nothing in it that a terminal obeys but
/// colours. What others wrote is made [`printable`] before, where it is known that it may not begin a line.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    match without_passwords(text) {
        Cow::Borrowed(text) => guarded(text),
        Cow::Owned(text) => Cow::Owned(guarded(&text).into_owned()),
    }
}

/// Says that the commands which are printed lack a password.
pub(crate) fn tell_password(address: &Address) {
    if let Some(url) = address.url.as_ref().filter(|url| url.to_string() != url.with_password()) {
        line_to_stderr(&format!("--url: commands are printed without the password, as {url}"));
    }
}

/// The reader has closed the pipe, as `head` does: no error.
fn ignore_broken_pipe(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}
