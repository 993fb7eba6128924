//! Text that others wrote, as it can be shown: databases, servers, files, paths and programs write what they want.
//!
//! A terminal obeys control characters, shows text in another order after a bidirectional override, and begins a line
//! where it finds a newline: a text with these could pass for a verdict of ours. So they are shown as escapes. Renderers
//! call [`printable`] on each text on its way into a line or a cell. What is printed goes through [`guarded`] at last,
//! which knows nothing of lines, and lets only the colours through that we use.

use std::borrow::Cow;

/// A text on one line, with nothing in it that a terminal obeys: `\n` and `\u{1b}` in place of the characters.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for sign in text.chars() {
        escape(sign, &mut shown);
    }
    Cow::Owned(shown)
}

/// A text of several lines, each of which is [`printable`]. A tab stays.
#[must_use]
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    let is_kept = |sign| matches!(sign, '\n' | '\t');
    if !text.contains(|sign| is_obeyed(sign) && !is_kept(sign)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for sign in text.chars() {
        match is_kept(sign) {
            true => shown.push(sign),
            false => escape(sign, &mut shown),
        }
    }
    Cow::Owned(shown)
}

/// The same, where colours and weights (ECMA-48's SGR sequences) stay, too.
#[must_use]
pub fn guarded(text: &str) -> Cow<'_, str> {
    if !text.contains(|sign| is_obeyed(sign) && sign != '\n' && sign != '\t') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(start) = rest.find('\u{1b}') {
        shown += &printable_lines(&rest[..start]);
        let length = style_length(&rest[start..]);
        match length {
            0 => escape('\u{1b}', &mut shown),
            _ => shown += &rest[start..start + length],
        }
        rest = &rest[start + length.max(1)..];
    }
    shown += &printable_lines(rest);
    Cow::Owned(shown)
}

/// The length in bytes of the SGR sequence that a text begins with; 0 if it begins with none.
fn style_length(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let end = parameters.find(|sign: char| !sign.is_ascii_digit() && sign != ';');
    match end {
        Some(end) if parameters[end..].starts_with('m') => 2 + end + 1,
        _ => 0,
    }
}

/// JSON whose strings have nothing in them that a terminal obeys. JSON itself escapes only what is below U+0020.
#[must_use]
pub fn printable_json(text: String) -> String {
    // Whitespace between values stays; inside of strings it is escaped already.
    let is_free = |sign: char| is_obeyed(sign) && !sign.is_ascii_whitespace();
    if !text.contains(is_free) {
        return text;
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for sign in text.chars() {
        if is_free(sign) {
            let mut units = [0; 2];
            for unit in sign.encode_utf16(&mut units) {
                shown += &format!("\\u{unit:04x}");
            }
        } else {
            shown.push(sign);
        }
    }
    shown
}

fn escape(sign: char, shown: &mut String) {
    match sign {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        sign if is_obeyed(sign) => shown.extend(sign.escape_unicode()),
        sign => shown.push(sign),
    }
}

/// Whether a terminal or an editor does something else with a character than to show it: control characters, line
/// separators, what changes the direction of text, and what is not visible at all. Joiners stay: scripts and emoji need
/// them.
fn is_obeyed(sign: char) -> bool {
    sign.is_control()
        || matches!(
            sign,
            '\u{061c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left_in_a_line() {
        let text = "a\n PROVED\r\u{1b}[2J\u{9b}1m\u{202e}b\u{2028}\tü é 日 👩‍💻";
        let shown = "a\\n PROVED\\r\\u{1b}[2J\\u{9b}1m\\u{202e}b\\u{2028}\\tü é 日 👩‍💻";
        assert_eq!(printable(text), shown);
        assert!(matches!(printable("SELECT 'ü' · ×"), Cow::Borrowed(_)));
    }

    #[test]
    fn only_colours_pass_the_guard_at_the_end() {
        let ours = "\u{1b}[1m\u{1b}[31mBROKEN\u{1b}[0m\n\tit is\n";
        assert_eq!(guarded(ours), ours);
        assert_eq!(guarded("\u{1b}]0;title\u{7}"), "\\u{1b}]0;title\\u{7}");
        assert_eq!(guarded("\u{1b}[2J\u{1b}[1mx\u{1b}["), "\\u{1b}[2J\u{1b}[1mx\\u{1b}[");
        assert_eq!(guarded("\u{1b}é\u{9b}"), "\\u{1b}é\\u{9b}");
    }

    #[test]
    fn json_with_a_control_character_means_what_it_meant() {
        let value = serde_json::json!({ "said": "a\u{9b}\u{202e}\u{7f}\u{e0041}\n\u{1b}" });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let shown = printable_json(text.clone());
        assert!(!shown.contains(|sign| is_obeyed(sign) && sign != '\n'), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
