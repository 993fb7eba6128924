//! A specification as it stands in a file: read, its names looked up, and what is wrong told with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use super::parser::{Named, Written, WrittenMarker, parse};
use super::{Marker, PermutationStep, Spec, StepId};
use crate::base::error::Error;
use crate::base::text::document::{Fault, read};
use crate::base::text::nearest::{did_you_mean, shown};

/// The most sessions: each takes a connection.
const MOST_SESSIONS: usize = 64;

impl Spec {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Input`] with the place of what is wrong.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let source = read(path, "specification")?;
        let path = path.display().to_string();
        Self::parse(&path, &source).map_err(|fault| fault.in_file(&path, &source))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// The place of what is wrong, and why it is.
    pub(crate) fn parse(path: &str, source: &str) -> Result<Self, Fault> {
        let Written { setup, teardown, sessions, steps, permutations } = parse(source)?;
        if sessions.len() > MOST_SESSIONS {
            let message =
                format!("the file has {} sessions; {MOST_SESSIONS} are the most", sessions.len());
            return Err(Fault { span: 0..0, message });
        }
        let ids = sessions.iter().enumerate().flat_map(|(session, one)| {
            (0..one.steps.len()).map(move |step| StepId { session, step })
        });
        let mut known: BTreeMap<&str, StepId> = BTreeMap::new();
        for (id, named) in ids.zip(&steps) {
            if known.insert(&named.name, id).is_some() {
                let name = shown(&named.name);
                return Err(fault(
                    &named.span,
                    format!("a second step is named `{name}`; each needs a name of its own"),
                ));
            }
        }
        let linked: Result<Vec<_>, Fault> =
            permutations.iter().map(|one| linked(one, &known)).collect();
        let permutations = linked?;
        let used: BTreeSet<StepId> = permutations.iter().flatten().map(|one| one.step).collect();
        let is_unused = |(_, id): &(&&str, &StepId)| !permutations.is_empty() && !used.contains(id);
        let unused = known.iter().filter(is_unused).map(|(name, _)| (*name).to_owned()).collect();
        Ok(Self { path: path.to_owned(), setup, teardown, sessions, permutations, unused })
    }
}

/// A permutation whose steps and markers are looked up.
fn linked(
    written: &[(Named, Vec<WrittenMarker>)],
    known: &BTreeMap<&str, StepId>,
) -> Result<Vec<PermutationStep>, Fault> {
    let find = |named: &Named| {
        known.get(named.name.as_str()).copied().ok_or_else(|| {
            let hint = did_you_mean(&named.name, known.keys().copied());
            fault(&named.span, format!("no step is named `{}`{hint}", shown(&named.name)))
        })
    };
    let here = written.iter().map(|(named, _)| find(named)).collect::<Result<Vec<_>, _>>()?;
    let mut steps = Vec::new();
    for ((named, markers), id) in written.iter().zip(&here) {
        let other = |marked: &Named| {
            let other = find(marked)?;
            let name = shown(&marked.name);
            if !here.contains(&other) {
                return Err(fault(&marked.span, format!("the permutation has no step `{name}`")));
            }
            if other.session == id.session {
                let why = format!(
                    "`{}` cannot wait for `{name}`, which is of its own session",
                    shown(&named.name)
                );
                return Err(fault(&marked.span, why));
            }
            Ok(other)
        };
        let marker = |marker: &WrittenMarker| match marker {
            WrittenMarker::Sent => Ok(Marker::Sent),
            WrittenMarker::Step(marked) => other(marked).map(Marker::Step),
            WrittenMarker::Notices(marked, number) => {
                other(marked).map(|other| Marker::Notices(other, *number))
            }
        };
        let markers = markers.iter().map(marker).collect::<Result<_, _>>()?;
        steps.push(PermutationStep { step: *id, markers });
    }
    Ok(steps)
}

fn fault(span: &Range<usize>, message: String) -> Fault {
    Fault { span: span.clone(), message }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TWO: &str = "setup { CREATE TABLE t (n int) }\nteardown { DROP TABLE t }\n\
                       session a setup { BEGIN; } step a1 { SELECT 1; } step \"a 2\" {\n  COMMIT; }\n\
                       session b step b1 { SELECT 2; } teardown { SELECT 3; }\n";

    fn message(source: &str) -> String {
        let fault = Spec::parse("x.spec", source).unwrap_err();
        let Error::Input(text) = fault.in_file("x.spec", source) else { panic!() };
        text.lines().next().unwrap().to_owned()
    }

    #[test]
    fn sessions_steps_and_markers_are_read() {
        let source = format!("{TWO}permutation a1 b1(*, \"a 2\", a1 notices 2) \"a 2\" # the end");
        let spec = Spec::parse("dir/x.spec", &source).unwrap();
        assert_eq!(spec.name(), "x");
        assert_eq!(spec.setup, ["CREATE TABLE t (n int)"]);
        assert_eq!(spec.sessions[0].setup.as_deref(), Some("BEGIN;"));
        assert_eq!(spec.sessions[0].steps[1].name, "a 2");
        assert_eq!(spec.sessions[0].steps[1].sql, "\n  COMMIT;");
        assert_eq!(spec.sessions[1].teardown.as_deref(), Some("SELECT 3;"));
        let (a1, a2) = (StepId { session: 0, step: 0 }, StepId { session: 0, step: 1 });
        assert_eq!(
            spec.permutations[0][1].markers,
            [Marker::Sent, Marker::Step(a2), Marker::Notices(a1, 2)]
        );
        assert!(spec.unused.is_empty());
    }

    #[test]
    fn a_mistake_is_told_with_its_place_and_the_nearest_right_spelling() {
        let with = |more: &str| message(&format!("{TWO}{more}"));
        assert_eq!(
            with("permuation a1"),
            "x.spec:6:1: expected `step`, `teardown`, `session` or `permutation`, not `permuation`; \
             did you mean `permutation`?"
        );
        assert_eq!(
            with("permutation a1 b2"),
            "x.spec:6:16: no step is named `b2`; did you mean `b1`?"
        );
        assert_eq!(
            with("permutation a1(\"a 2\") \"a 2\""),
            "x.spec:6:16: `a1` cannot wait for `a 2`, which is of its own session"
        );
        assert_eq!(with("permutation a1(b1)"), "x.spec:6:16: the permutation has no step `b1`");
        assert_eq!(
            with("session c step a1 { }"),
            "x.spec:6:16: a second step is named `a1`; each needs a name of its own"
        );
        assert_eq!(
            with("session step step c1 { }"),
            "x.spec:6:9: expected the session's name, not `step`; as a name, it stands in quotes: \
             \"step\""
        );
        assert_eq!(
            with("session c stpe c1 { }"),
            "x.spec:6:11: expected `setup` or `step`, not `stpe`; did you mean `step`?"
        );
        assert_eq!(
            with("session c step c1 {"),
            "x.spec:6:19: the SQL that begins here does not end: no `}` follows"
        );
        assert_eq!(
            message("setup { }"),
            "x.spec:1:9: the file ends here; expected `setup`, `teardown` or `session`"
        );
    }

    #[test]
    fn steps_that_no_permutation_has_are_known() {
        let spec = Spec::parse("x", &format!("{TWO}permutation b1")).unwrap();
        assert_eq!(spec.unused, ["a 2", "a1"]);
        assert!(Spec::parse("x", TWO).unwrap().unused.is_empty());
    }

    /// A name as it is written in a file.
    fn written(name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_or_refused(source in "[a-z{}()*,\"# \n0-9é\\PC]{0,200}") {
            if let Err(fault) = Spec::parse("x", &source) {
                let _ = fault.in_file("x", &source);
            }
        }

        #[test]
        fn keywords_in_any_order_are_read_or_refused(
            words in proptest::collection::vec(
                prop::sample::select(vec![
                    "setup", "teardown", "session", "step", "permutation", "notices", "a", "b",
                    "{ SELECT 1; }", "(", ")", ",", "*", "2", "\"a\"",
                ]),
                0..40,
            )
        ) {
            let source = words.join(" ");
            if let Err(fault) = Spec::parse("x", &source) {
                prop_assert!(!fault.message.contains('\n'), "{}", fault.message);
            }
        }

        #[test]
        fn what_is_written_comes_back(
            sessions in proptest::collection::vec(
                proptest::collection::vec(("[^\n]{1,8}", "[^{}\u{c} \t\r]{0,20}"), 1..4),
                1..4,
            )
        ) {
            let mut source = String::new();
            for (place, steps) in sessions.iter().enumerate() {
                source += &format!("session s{place}\n");
                for (number, (name, sql)) in steps.iter().enumerate() {
                    let name = written(&format!("{place}.{number}{name}"));
                    source += &format!("step {name} {{ {sql} }}\n");
                }
            }
            let spec = Spec::parse("x", &source).unwrap();
            prop_assert_eq!(spec.sessions.len(), sessions.len());
            for (read, steps) in spec.sessions.iter().zip(&sessions) {
                let said: Vec<&str> = read.steps.iter().map(|step| step.sql.as_str()).collect();
                let meant: Vec<&str> = steps.iter().map(|(_, sql)| sql.as_str()).collect();
                prop_assert_eq!(said, meant);
            }
        }
    }
}
