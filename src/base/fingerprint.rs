//! A fingerprint of data: two machines compare what they were given without sending it.

use std::fmt::{self, Debug, Write};

/// The fingerprint of a value, by what it says of itself: 64-bit FNV-1a. It tells mistakes apart, and does not resist a person
/// who looks for two values with the same one.
#[must_use]
pub(crate) fn fingerprint(value: &impl Debug) -> String {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    // Cannot fail: the hash takes all that is written.
    let _ = write!(hash, "{value:?}");
    format!("{:016x}", hash.0)
}

struct Fnv(u64);

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn what_differs_has_another_fingerprint_on_every_machine() {
        assert_eq!(fingerprint(&"a"), fingerprint(&"a"));
        assert_ne!(fingerprint(&"a"), fingerprint(&"b"));
        // Known, so that another machine or a later version finds the same.
        assert_eq!(fingerprint(&Vec::<u8>::new()), "09612b07b5ecb5a5");
    }
}
