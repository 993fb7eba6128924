//! A place in a text file: `path:line:column: what is wrong`, and the line with a mark under it.

use std::ops::Range;

use super::printable::printable;

/// The longest line shown whole, in characters.
const WIDEST: usize = 120;

/// Says `message` of the bytes at `span` in `source`.
#[must_use]
pub fn excerpt(path: &str, source: &str, span: Range<usize>, message: &str) -> String {
    let start = floor_boundary(source, span.start);
    let end = floor_boundary(source, span.end).max(start);
    let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line = source[line_start..].lines().next().unwrap_or_default();
    let number = source[..start].matches('\n').count() + 1;
    let column = source[line_start..start].chars().count() + 1;
    let head = format!("{}:{number}:{column}: {message}", printable(path));
    // Control characters would move the cursor and the mark with it.
    let shown: String =
        line.chars().take(WIDEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.trim().is_empty() || column > WIDEST {
        return head;
    }
    let room = shown.chars().count().saturating_sub(column - 1).max(1);
    let marks =
        source[start..end].lines().next().unwrap_or_default().chars().count().clamp(1, room);
    let gutter = number.to_string().len();
    format!(
        "{head}\n  {number} | {}\n  {:gutter$} | {}{}",
        shown.trim_end(),
        "",
        " ".repeat(column - 1),
        "^".repeat(marks)
    )
}

/// The nearest place at or before `at` where a character begins.
fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn the_mark_stands_under_the_word_it_is_about() {
        let source = "# flash\nstock = 1\nbuyer = 1000\n";
        let at = source.find("buyer").unwrap();
        assert_eq!(
            excerpt("a.toml", source, at..at + 5, "unknown key `buyer`"),
            "a.toml:3:1: unknown key `buyer`\n  3 | buyer = 1000\n    | ^^^^^"
        );
    }

    #[test]
    fn columns_count_characters_and_any_span_is_survived() {
        let source = "é = ü";
        assert!(excerpt("a", source, 5..7, "no").starts_with("a:1:5: no"));
        for start in 0..12 {
            for end in 0..12 {
                let _ = excerpt("a", source, start..end, "no");
            }
        }
    }
}
