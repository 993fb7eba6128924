//! The certificate of the proxies in front of an application's databases, and the file in which the application finds it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::error::Error;
use crate::proxy::Certificate;
use crate::stores::private::ServerSandbox;

/// A certificate whose authority lies in a file. Dropping it removes the file.
pub(super) struct Certified {
    certificate: Arc<Certificate>,
    file: PathBuf,
    _sandbox: ServerSandbox,
}

impl Certified {
    /// Makes a certificate, and writes the file.
    pub(super) fn make() -> Result<Self, Error> {
        let certificate = Arc::new(Certificate::make()?);
        let sandbox = ServerSandbox::make("TERM")?;
        let file = sandbox.own_dir().join("certificate.pem");
        std::fs::write(&file, certificate.authority())
            .map_err(|error| Error::world(format!("cannot write {}: {error}", file.display())))?;
        Ok(Self { certificate, file, _sandbox: sandbox })
    }

    /// The certificate.
    pub(super) fn certificate(&self) -> Arc<Certificate> {
        Arc::clone(&self.certificate)
    }

    /// Where the file is.
    pub(super) fn path(&self) -> String {
        self.file.display().to_string()
    }
}
