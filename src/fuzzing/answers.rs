//! Answers of running shops, and of etcd.

use super::{assert_line, text};
use crate::stores::{read_etcd_answer, read_http_answer};

/// A shop's answer is the same however its bytes are cut, or it is refused. The first byte says where they are cut.
pub fn http(data: &[u8]) {
    let (cut, answer) = match data {
        [first, rest @ ..] => (usize::from(*first) % (rest.len() + 1), rest),
        [] => (0, data),
    };
    let read = read_http_answer(&[answer]);
    let (one, other) = answer.split_at(cut);
    assert_eq!(read_http_answer(&[one, other]), read);
    if let Some(brief) = read {
        assert_line(&brief);
    }
}

/// An answer of etcd's gateway is read or refused; a hold in it that is written anew is the same.
pub fn etcd(data: &[u8]) {
    read_etcd_answer(&text(data));
}
