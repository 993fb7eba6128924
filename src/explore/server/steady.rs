//! What is told of an order, without what is other each time it is run: keys that a server generates, times, what was
//! rolled. Two equal searches say the same then.

use super::harvest::{Best, judge};
use crate::base::error::Error;
use crate::check::audit::Finding;
use crate::worlds::held::{Harness, Step};

/// What stands in the place of something that is other each time.
const OTHER: &str = "…";

/// Runs the order once more, and leaves out of what is told of it what has come out otherwise. One that goes another way
/// now, or to no end, is left as it is: that it was found stands.
pub(in crate::explore) fn hold_still(harness: &mut Harness<'_>, best: &mut Best) {
    let Ok(Some((steps, findings))) = once_more(harness, &best.steps) else { return };
    blend(&mut best.steps, std::slice::from_mut(&mut best.finding), &steps, &findings);
}

/// An order that was run once more, and what was wrong then.
type Again = (Vec<Step>, Vec<Finding>);

/// The same steps again, and what is wrong then; none if they cannot be made.
fn once_more(harness: &mut Harness<'_>, steps: &[Step]) -> Result<Option<Again>, Error> {
    harness.begin()?;
    let mut again = Vec::with_capacity(steps.len());
    for step in steps {
        match harness.step(step.place)? {
            Some(step) => again.push(step),
            None => return harness.send_home().map(|_| None),
        }
    }
    let stuck = harness.send_home()?;
    Ok(Some((again, judge(harness, stuck)?.findings)))
}

/// Leaves out of steps and findings what another run of the same has otherwise.
pub(in crate::explore) fn blend(
    steps: &mut [Step],
    findings: &mut [Finding],
    steps_again: &[Step],
    findings_again: &[Finding],
) {
    for finding in findings {
        if let Some(same) = findings_again.iter().find(|other| other.kind == finding.kind) {
            finding.proof = common(&finding.proof, &same.proof);
        }
    }
    for (step, again) in steps.iter_mut().zip(steps_again) {
        blend_step(step, again);
    }
}

fn blend_step(step: &mut Step, again: &Step) {
    step.statement.text = common(&step.statement.text, &again.statement.text);
    if let (Some(answer), Some(again)) = (&mut step.answer, &again.answer) {
        *answer = common(answer, again);
    }
    for ((_, answer), (_, again)) in step.went_on.iter_mut().zip(&again.went_on) {
        *answer = common(answer, again);
    }
}

/// A text, in which a sign stands for each value that is another in the other.
fn common(one: &str, other: &str) -> String {
    if one == other {
        return one.to_owned();
    }
    let (ones, others) = (values(one), values(other));
    if ones.len() != others.len() {
        // Up to where they part.
        let same = ones.iter().zip(&others).take_while(|(one, other)| one == other);
        return same.map(|(one, _)| *one).chain([OTHER]).collect();
    }
    let both = ones.iter().zip(&others);
    both.map(|(one, other)| if one == other { one } else { OTHER }).collect()
}

/// A text in pieces: what may be one value, with its points and hyphens, and the signs between.
fn values(text: &str) -> Vec<&str> {
    let is_of_value = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '+');
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match is_of_value(first) {
            true => rest.find(|c| !is_of_value(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_other_each_time_is_left_out_and_the_rest_stays() {
        assert_eq!(
            common(
                "unpaid: 9f2c-1, 1, 2030-01-02 03:04:05.6",
                "unpaid: 77aa-2, 1, 2030-01-02 03:04:05.7"
            ),
            "unpaid: …, 1, 2030-01-02 …"
        );
        assert_eq!(common("the same", "the same"), "the same");
        assert_eq!(common("a: 1, 2, 3", "a: 1, 2 …"), "a: 1, 2…");
    }
}
