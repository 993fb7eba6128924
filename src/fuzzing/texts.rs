//! Texts that others wrote, as they are shown, and addresses of servers.

use super::{assert_line, text};
use crate::base::text::document;
use crate::base::text::excerpt::excerpt;
use crate::base::text::nearest::{nearest, shown};
use crate::base::text::printable::{guarded, printable, printable_json, printable_lines};
use crate::base::text::server_url::{ServerUrl, without_passwords};

/// How the password of each address below begins.
const SECRET: &str = "s3cr3t";

/// Nothing that is shown has anything in it that a terminal obeys, and no address that is shown has its password.
pub fn texts(data: &[u8]) {
    let text = &*text(data);
    let line = printable(text);
    assert!(!line.contains(char::is_control), "{line:?}");
    assert_eq!(printable(&line), line);
    let lines = printable_lines(text);
    assert!(!lines.contains(|sign: char| sign.is_control() && sign != '\n' && sign != '\t'));
    assert_eq!(printable_lines(&lines), lines);
    let styled = guarded(text);
    assert_eq!(guarded(&styled), styled);
    let quoted = serde_json::to_string(text).expect("a text is JSON");
    let json = printable_json(quoted);
    assert_line(&json);
    assert_eq!(serde_json::from_str::<String>(&json).ok().as_deref(), Some(text));
    assert_line(&format!(" {}", shown(text)));
    let _ = nearest(text, ["stock", "strategy", "buyers"]);
    if let Err(fault) = document::parse(text) {
        excerpt("x.toml", text, fault.span, &fault.message).lines().for_each(assert_line);
    }
    addresses(text);
}

/// The first line is a part of the password, the second one stands behind it.
fn addresses(text: &str) {
    // Elsewhere in an address it is no password.
    if text.contains(SECRET) {
        return;
    }
    let mut lines = text.lines();
    let (more, behind) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    for address in [
        format!("postgres://me:{SECRET}{more}@localhost/shop{behind}"),
        format!("redis://:{SECRET}{more}@localhost:6379{behind}"),
        format!("postgres://localhost/shop?password={SECRET}"),
        format!("postgres://localhost/shop?a=b&sslpassword={SECRET}#{behind}"),
        format!("host=localhost password='{SECRET}{}' user=me", more.replace(['\\', '\''], "")),
    ] {
        let url = ServerUrl::from(address.as_str());
        let shown = [url.to_string(), format!("{url:?}")];
        shown.iter().for_each(|shown| assert!(!shown.contains(SECRET), "{shown} for {address}"));
        assert_eq!(url.with_password(), address);
    }
    // In the middle of a text, a space or a quote ends the address.
    let plain: String = more.chars().filter(char::is_ascii_alphanumeric).collect();
    for address in [
        format!("postgres://me:{SECRET}{plain}@localhost/shop"),
        format!("http://localhost/?token={SECRET}{plain}&a=b"),
        format!("host=localhost password={SECRET}{plain} user=me"),
    ] {
        let said = format!("cannot reach `{address}`: {behind}");
        let shown = without_passwords(&said);
        assert!(!shown.contains(SECRET), "{shown}");
        assert_eq!(without_passwords(&shown), shown);
    }
    let _ = without_passwords(text);
    assert_eq!(ServerUrl::from(text).with_password(), text);
}
