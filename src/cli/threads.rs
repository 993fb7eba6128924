//! Threads that the user asks for beside the flags.

use crate::base::error::Error;
use crate::base::text::nearest::shown;

use super::explore::jobs;

/// Says how many threads search, simulate and audit where no flag does. The library that runs them reads it.
const VARIABLE: &str = "RAYON_NUM_THREADS";

/// Refuses more threads than a flag may ask for: to start them would take for ever.
pub(super) fn check() -> Result<(), Error> {
    check_text(std::env::var(VARIABLE).ok().as_deref())
}

fn check_text(text: Option<&str>) -> Result<(), Error> {
    // The library goes its own way with a text that is no number, and with 0.
    let asked = text.filter(|text| text.parse::<usize>().is_ok_and(|number| number > 0));
    let Some(text) = asked else { return Ok(()) };
    let refused = |why| Error::input(format!("{VARIABLE}={}: {why}", shown(text)));
    jobs(text).map(drop).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_threads_than_a_flag_may_ask_for_are_refused() {
        for text in [None, Some(""), Some("0"), Some("many"), Some("8"), Some("1024")] {
            assert_eq!(check_text(text), Ok(()), "{text:?}");
        }
        let refused = check_text(Some("99999999")).unwrap_err().to_string();
        assert!(refused.starts_with("RAYON_NUM_THREADS=99999999: "), "{refused}");
        assert!(refused.contains("1,024"), "{refused}");
    }
}
