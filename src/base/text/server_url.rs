//! Where a server is, as a user says it, with a password that is never printed.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// The address of a server. Whatever prints it leaves its password out: only [`ServerUrl::with_password`] has it.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl(String);

impl ServerUrl {
    /// All of it, for those who connect.
    #[must_use]
    pub fn with_password(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ServerUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl From<String> for ServerUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", without_password(&self.0))
    }
}

/// An address without the password in it: that of its user, and one among its parameters. In doubt, more is left out.
///
/// It reads URLs, several of them with commas between, and PostgreSQL's `host=localhost password=secret`.
#[must_use]
pub fn without_password(url: &str) -> String {
    // PostgreSQL's keys and values, in which a password may look like a URL.
    let url = &*match begins_with_scheme(url) {
        true => Cow::Borrowed(url),
        false => Cow::Owned(without_scheme(url)),
    };
    if !url.contains("://") {
        return url.to_owned();
    }
    // Where another URL begins after a comma.
    let mut starts = vec![0];
    let schemes = url.match_indices("://").skip(1);
    starts.extend(schemes.filter_map(|(place, _)| {
        let scheme = url[..place].rfind(|sign: char| !sign.is_ascii_alphanumeric())?;
        url[scheme..].starts_with(',').then_some(scheme + 1)
    }));
    let ends = starts[1..].iter().map(|start| start - 1).chain([url.len()]);
    let parts = starts.iter().zip(ends).map(|(start, end)| of_one(&url[*start..end]));
    parts.collect::<Vec<_>>().join(",")
}

fn begins_with_scheme(text: &str) -> bool {
    let is_of_scheme = |sign: char| sign.is_ascii_alphanumeric() || "+.-".contains(sign);
    text.split_once("://").is_some_and(|(scheme, _)| scheme.chars().all(is_of_scheme))
}

/// One URL.
fn of_one(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return without_scheme(url) };
    let (authority, rest) = rest.split_at(end_of_authority(rest));
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => {
            // A parameter's `@` may have been taken for that of a user.
            let user = user.split([':', '/', '?', '#']).next().unwrap_or_default();
            if user.is_empty() { host.to_owned() } else { format!("{user}@{host}") }
        }
        // What stands behind a colon and is no port may be a password whose `@` stands among the parameters.
        None if authority.split(',').all(has_port_at_most) => authority.to_owned(),
        None => authority.split(':').next().unwrap_or_default().to_owned(),
    };
    format!("{scheme}://{authority}{}", without_parameters(rest))
}

/// Whether nothing but a port stands behind a host.
fn has_port_at_most(place: &str) -> bool {
    let behind = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, behind)) => behind,
        None => place,
    };
    let port = behind.split_once(':').map_or("", |(_, port)| port);
    port.bytes().all(|digit| digit.is_ascii_digit())
}

/// Where user, password, host and port end. A password may have any sign unescaped, and then the host stands behind the
/// last `@`, unless that belongs to a parameter.
fn end_of_authority(rest: &str) -> usize {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let parameters = rest.find('?').unwrap_or(rest.len());
    let is_parameters = || {
        let all = rest[parameters..].trim_start_matches('?').split('&');
        all.clone().all(|one| !one.contains('@') || is_known(one))
    };
    let searched = if is_parameters() { &rest[..parameters] } else { rest };
    match searched.rfind('@') {
        // Without a colon before it there is no password, and it is a parameter's.
        Some(at) if at < end || searched[..at].contains(':') => {
            let host = at + 1;
            end.max(host + rest[host..].find(['/', '?', '#']).unwrap_or(rest.len() - host))
        }
        _ => end,
    }
}

/// Whether a parameter is one whose value may have an `@`.
fn is_known(parameter: &str) -> bool {
    const NAMES: [&str; 7] =
        ["user", "username", "host", "options", "application_name", "dbname", "socket"];
    parameter.split_once('=').is_some_and(|(name, _)| NAMES.contains(&name) || is_secret(name))
}

/// A path with its parameters, without those that are secret.
fn without_parameters(rest: &str) -> String {
    let Some((path, parameters)) = rest.split_once('?') else { return rest.to_owned() };
    let (parameters, fragment) = match parameters.find('#') {
        Some(hash) if !parameters[hash..].contains(['&', '=']) => parameters.split_at(hash),
        _ => (parameters, ""),
    };
    let name = |parameter: &str| parameter.split('=').next().unwrap_or_default().to_owned();
    let kept: Vec<&str> = parameters.split('&').filter(|one| !is_secret(&name(one))).collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    format!("{path}{mark}{}{fragment}", kept.join("&"))
}

/// Whether a parameter of an address is a password, or as good as one, by its name. In doubt it is.
fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 2] = ["pass", "auth"];
    let name = decoded(name).to_lowercase();
    // Those of PostgreSQL that name a file, or a method.
    if matches!(&*name, "passfile" | "sslkey" | "require_auth") {
        return false;
    }
    is_named_secret(&name) || PARTS.iter().any(|part| name.contains(part)) || name.ends_with("key")
}

/// The same of any text's parameter, which may be a buyer's: `author` and `idempotency_key` are none.
fn is_named_secret(name: &str) -> bool {
    const PARTS: [&str; 8] =
        ["password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "signature"];
    const ENDS: [&str; 4] = ["api_key", "api-key", "apikey", "access_key"];
    let name = decoded(name).to_lowercase();
    matches!(&*name, "pass" | "auth" | "authorization" | "sig")
        || PARTS.iter().any(|part| name.contains(part))
        || ENDS.iter().any(|end| name.ends_with(end))
}

/// A name with its percent-encoded signs decoded.
fn decoded(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, others @ ..] = rest {
        let code = || std::str::from_utf8(others.get(..2)?).ok();
        let code = code().and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(code) if *first == b'%' => {
                bytes.push(code);
                rest = &others[2..];
            }
            _ => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An address that is no URL: a file, `user:password@host`, or PostgreSQL's keys and values.
fn without_scheme(text: &str) -> String {
    static PAIR: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\s*\b([a-z_]+)\s*=\s*(?:'(?:[^'\\]|\\.)*(?:'|$)|(?:[^\s'\\]|\\.)+)").ok()
    });
    static USER: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^([^/:@\s]*):[^/]*@").ok());
    let (Some(pair), Some(user)) = (&*PAIR, &*USER) else { return String::new() };
    let kept = pair.replace_all(text, |found: &Captures<'_>| {
        if is_secret(&found[1]) { String::new() } else { found[0].to_owned() }
    });
    let kept = user.replace(kept.trim_start(), |found: &Captures<'_>| match &found[1] {
        "" => String::new(),
        name => format!("{name}@"),
    });
    kept.into_owned()
}

/// What stands in a text where a password stood.
const MASK: &str = "***";

/// A text in which no URL has a password, and no parameter that is one has a value: clients and programs repeat what they
/// were told.
#[must_use]
pub fn without_passwords(text: &str) -> Cow<'_, str> {
    static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"([A-Za-z][A-Za-z0-9+.-]*://[^\s/@:"'<>`]*:)([^\s@"'<>`]+)(@[^\s"'<>`])"#).ok()
    });
    static PARAMETER: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"([?&])([A-Za-z0-9_.%-]+)=([^\s&#"'<>`]+)"#).ok());
    // As PostgreSQL's keys and values have it, and files.
    static KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let key = r"(?i)\b([a-z0-9_-]*(?:password|passwd|pwd)\s*=\s*)";
        let value = r#"('[^'\n]*'|"[^"\n]*"|[^\s'"`\\&<>#;,(){}]+)"#;
        Regex::new(&format!("{key}{value}")).ok()
    });
    // What stands in an example.
    const EXAMPLES: [&str; 2] = ["PASSWORD", MASK];
    let is_port = |text: &str| {
        text.split_once(['/', ',', '?', '#']).is_some_and(|(port, _)| port.parse::<u16>().is_ok())
    };
    let text = replaced(URL.as_ref(), Cow::Borrowed(text), |found| {
        match EXAMPLES.contains(&&found[2]) || is_port(&found[2]) {
            true => found[0].to_owned(),
            false => format!("{}{MASK}{}", &found[1], &found[3]),
        }
    });
    let text = replaced(PARAMETER.as_ref(), text, |found| match is_named_secret(&found[2]) {
        true => format!("{}{}={MASK}", &found[1], &found[2]),
        false => found[0].to_owned(),
    });
    replaced(KEY.as_ref(), text, |found| format!("{}{MASK}", &found[1]))
}

/// A text with something else in the place of what matches. Most texts have nothing that does.
fn replaced<'t>(
    pattern: Option<&Regex>,
    text: Cow<'t, str>,
    by: impl Fn(&Captures<'_>) -> String,
) -> Cow<'t, str> {
    match pattern.filter(|pattern| pattern.is_match(&text)) {
        Some(pattern) => Cow::Owned(pattern.replace_all(&text, by).into_owned()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password_however_it_is_written() {
        for (url, shown) in [
            ("postgres://me:secret@localhost/shop", "postgres://me@localhost/shop"),
            ("postgres://me:se@cr/et@localhost:5432/shop", "postgres://me@localhost:5432/shop"),
            ("postgres://me:se?cr=et@localhost/shop", "postgres://me@localhost/shop"),
            ("postgres://me:1/secret@localhost/shop", "postgres://me@localhost/shop"),
            ("postgres://me:secret@one:1,two:2/shop", "postgres://me@one:1,two:2/shop"),
            ("redis://:secret@localhost:6379", "redis://localhost:6379"),
            ("redis+unix:///tmp/s?pass=secret&db=1", "redis+unix:///tmp/s?db=1"),
            ("http://a:1,http://me:secret@b:2", "http://a:1,http://me@b:2"),
            ("http://localhost:1/?api_key=secret&a=b", "http://localhost:1/?a=b"),
            ("http://localhost:1/?access_token=secret#top", "http://localhost:1/#top"),
            ("postgres://h/shop?user=me@corp&password=secret", "postgres://h/shop?user=me@corp"),
            (
                "postgres://h:1/shop?user=me@corp&password=s@cret",
                "postgres://h:1/shop?user=me@corp",
            ),
            ("postgres://h/shop?password=secret&mail=me@corp", "postgres://h/shop?mail=me@corp"),
            ("postgres://h:1/shop?password=secret&mail=me@corp", "postgres://h@corp"),
            ("postgres://h/shop?password=secret#:&@", "postgres://h@"),
            ("postgres://me:secret:/,://@localhost/shop", "postgres://me/,://localhost/shop"),
            ("http://[::1]:80,a:1/x", "http://[::1]:80,a:1/x"),
            ("postgres://h/shop?p%61ssword=secret", "postgres://h/shop"),
            ("mysql://localhost/shop?sslpassword=secret", "mysql://localhost/shop"),
            ("mysql://me@localhost/shop", "mysql://me@localhost/shop"),
            ("me:secret@localhost", "me@localhost"),
            ("host=localhost password=secret port=1", "host=localhost port=1"),
            ("password = 's\\'ecret or not' user=me", "user=me"),
            ("host=localhost password='secret", "host=localhost"),
            ("host=localhost password='secret,http://me:x@b:2' user=me", "host=localhost user=me"),
            ("a:1,http://me:secret@b:2", "a:1,http://me@b:2"),
            ("shelf.db", "shelf.db"),
            ("/tmp/a=b/shelf.db", "/tmp/a=b/shelf.db"),
            ("sqlite:shelf.db", "sqlite:shelf.db"),
        ] {
            let address = ServerUrl::from(url);
            assert_eq!(address.to_string(), shown, "{url}");
            assert!(!format!("{address:?}").contains("secret"), "{address:?}");
            assert_eq!(address.with_password(), url);
        }
    }

    #[test]
    fn a_key_that_is_a_password_has_no_value_and_all_others_keep_theirs() {
        for (text, shown) in [
            (
                "url = \"host=localhost password=s3cret user=me\"",
                "url = \"host=localhost password=*** user=me\"",
            ),
            ("  3 | DB_PASSWORD = \"s3cret\" ", "  3 | DB_PASSWORD = *** "),
            ("{\"did\": \"password='s3cret'\"}", "{\"did\": \"password=***\"}"),
            ("GET /x?token=s3cret&a=b", "GET /x?token=***&a=b"),
            ("SELECT a = b, key = 1 WHERE token = 'x'", "SELECT a = b, key = 1 WHERE token = 'x'"),
            ("a?b=c&author=e&idempotency_key=f", "a?b=c&author=e&idempotency_key=f"),
        ] {
            assert_eq!(without_passwords(text), shown);
            assert_eq!(without_passwords(shown), shown);
        }
    }

    #[test]
    fn a_text_that_repeats_an_address_has_no_password() {
        let text = "cannot reach `postgres://me:secret@localhost/shop`, nor redis://:sec:ret@[::1]:1?a=b&pass=x.";
        let shown = "cannot reach `postgres://me:***@localhost/shop`, nor redis://:***@[::1]:1?a=b&pass=***";
        assert_eq!(without_passwords(text), shown);
        assert_eq!(without_passwords(shown), shown);
        for ours in [
            "expected postgres://USER:PASSWORD@localhost/DATABASE",
            "http://a:80/a@b",
            "http://a:1,http://me@b:2",
        ] {
            assert_eq!(without_passwords(ours), ours);
        }
    }
}
