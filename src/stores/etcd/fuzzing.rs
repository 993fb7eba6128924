//! What a fuzz target asks of the reader of etcd's answers.

use super::gateway::read;
use super::holds::StoredHold;
use super::keys::{read_holder, read_order};
use super::wire;

/// Reads an answer in each way that there is. A hold that is written anew is the same hold.
pub(crate) fn read_etcd_answer(text: &str) {
    read_order(text);
    read_holder(text);
    let Ok(body) = read(text) else { return };
    wire::revision(&body);
    wire::decoded(&body, "key");
    let Ok(outcome) = wire::read_outcome(&body) else { return };
    for range in &outcome.steps {
        for pair in &range.found {
            let _ = pair.number::<i64>();
            read_order(&pair.key);
            read_holder(&pair.key);
            if let Ok(hold) = StoredHold::read(pair) {
                let written = wire::KeyValue { value: hold.text(), ..pair.clone() };
                assert_eq!(StoredHold::read(&written), Ok(hold));
            }
        }
        let _ = range.only();
    }
}
