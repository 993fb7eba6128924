//! The certificate by which clients know the proxy, made anew for each run: an authority, and a server's certificate that it has
//! signed for this machine. The authority's key is dropped at once, so that nothing else is ever signed with it.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerConfig;

use crate::base::error::Error;

/// The names under which clients reach the proxy.
const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What makes connections to the proxy encrypted, and the authority that clients can trust for that.
#[derive(Debug)]
pub(crate) struct Certificate {
    config: ServerConfig,
    authority: String,
}

impl Certificate {
    /// Makes a certificate.
    ///
    /// # Errors
    /// [`Error::World`] if there is no chance to draw a key from.
    pub(crate) fn make() -> Result<Self, Error> {
        let cannot = |why: &dyn std::fmt::Display| {
            Error::world(format!("cannot make a certificate for TLS: {why}"))
        };
        let (authority, chain, key) = signed().map_err(|error| cannot(&error))?;
        let mut config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|error| cannot(&error))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| cannot(&error))?;
        // A ticket is sent unasked, after the handshake. Clients of a database do not come back with it.
        config.send_tls13_tickets = 0;
        Ok(Self { config, authority })
    }

    /// The authority's certificate, as the text of a file in PEM format.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// What a handshake needs. A client that names protocols has to name this one; without a name, all of them are taken.
    pub(super) fn config(&self, protocol: &str) -> Arc<ServerConfig> {
        let mut config = self.config.clone();
        if !protocol.is_empty() {
            config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        }
        Arc::new(config)
    }
}

type Signed = (String, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// An authority in PEM format, the certificate that it has signed, and the key of that.
fn signed() -> Result<Signed, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "oversell-sim, for one run");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?;
    let issuer = Issuer::new(params, key);
    let mut params = CertificateParams::new(HOSTS.map(str::to_owned))?;
    params.distinguished_name.push(DnType::CommonName, HOSTS[0]);
    // Python 3.13 accepts no certificate without these.
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Ok((authority.pem(), vec![certificate.der().clone()], key))
}
