//! How the subtrees of a search begin that is cut into several: all that one of them takes from the others.

use crate::scheduler::choice::Choice;

/// The steps that come before the cut in one subtree, and what is asleep on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    /// The steps.
    pub(super) beginning: Vec<Choice>,
    /// The sleep set before each of them, and the one after the last.
    pub(super) asleep: Vec<Vec<Choice>>,
}

impl Outline {
    /// Of each of these subtrees, one after the other, the steps up to where it parts from the others, and what is asleep
    /// there. The rest of its beginning is its own: how that goes on, such as which of two waiting clients a server lets
    /// go on first, makes no difference to another subtree.
    pub(crate) fn partings<'a>(outlines: &'a [Self]) -> Vec<(&'a [Choice], &'a [Choice])> {
        let shared: Vec<usize> =
            outlines.windows(2).map(|two| two[0].shares_with(&two[1])).collect();
        let parts_at = |number: usize| {
            let before = number.checked_sub(1).and_then(|before| shared.get(before));
            let neighbours = before.into_iter().chain(shared.get(number));
            neighbours.max().map_or(0, |shared| shared + 1)
        };
        let parting = |(number, outline): (usize, &'a Self)| {
            let at = parts_at(number).min(outline.beginning.len());
            let asleep = outline.asleep.get(at).map_or(&[][..], |asleep| &**asleep);
            (&outline.beginning[..at], asleep)
        };
        outlines.iter().enumerate().map(parting).collect()
    }

    /// How many steps this begins with that the other begins with, too.
    fn shares_with(&self, other: &Self) -> usize {
        let both = self.beginning.iter().zip(&other.beginning);
        both.take_while(|(one, other)| one == other).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::choice::Actor;

    fn steps(clients: &[usize]) -> Vec<Choice> {
        clients.iter().map(|client| Choice::step(Actor::buyer(*client))).collect()
    }

    fn outline(clients: &[usize], asleep: &[&[usize]]) -> Outline {
        let asleep = asleep.iter().map(|asleep| steps(asleep)).collect();
        Outline { beginning: steps(clients), asleep }
    }

    #[test]
    fn a_subtree_is_told_by_its_steps_up_to_where_it_parts_from_its_neighbours() {
        let outlines = [
            outline(&[0, 0, 0, 1], &[&[], &[], &[], &[], &[]]),
            outline(&[0, 0, 1, 0], &[&[], &[], &[], &[0], &[2]]),
            outline(&[0, 1, 0, 0], &[&[], &[], &[0], &[], &[]]),
        ];
        let expected = [(&[0, 0, 0][..], &[][..]), (&[0, 0, 1], &[0]), (&[0, 1], &[0])];
        let expected: Vec<_> =
            expected.iter().map(|(begun, asleep)| (steps(begun), steps(asleep))).collect();
        let partings = Outline::partings(&outlines);
        let partings: Vec<_> =
            partings.into_iter().map(|(begun, asleep)| (begun.to_vec(), asleep.to_vec())).collect();
        assert_eq!(partings, expected);
    }

    #[test]
    fn a_subtree_that_is_alone_or_ended_early_is_told_by_what_there_is() {
        assert_eq!(Outline::partings(&[outline(&[0, 1], &[&[], &[], &[]])]), [(&[][..], &[][..])]);
        let outlines = [outline(&[0], &[&[], &[]]), outline(&[0, 1], &[&[], &[], &[]])];
        let lengths: Vec<usize> =
            Outline::partings(&outlines).iter().map(|(begun, _)| begun.len()).collect();
        assert_eq!(lengths, [1, 2]);
    }
}
