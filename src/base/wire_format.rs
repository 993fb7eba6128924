//! Numbers as bytes, for messages between processes: little-endian, one behind the other.

/// A message that is being written.
#[derive(Debug, Default)]
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Words, with their number before them.
    pub(crate) fn words(&mut self, words: &[u32]) {
        self.u32(words.len() as u32);
        words.iter().for_each(|word| self.u32(*word));
    }

    /// Bytes, with their number before them.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// What was written so far.
    pub(crate) fn written(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A message that is being read: every value is none where the message is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoder<'m>(pub(crate) &'m [u8]);

impl<'m> Decoder<'m> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// Words, as [`Encoder::words`] writes them, into `words`.
    pub(crate) fn words_into(&mut self, words: &mut Vec<u32>) -> Option<()> {
        let bytes = (self.u32()? as usize).checked_mul(4)?;
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        words.clear();
        let (chunks, _) = taken.as_chunks();
        words.extend(chunks.iter().map(|chunk| u32::from_le_bytes(*chunk)));
        Some(())
    }

    /// Bytes, as [`Encoder::bytes`] writes them.
    pub(crate) fn bytes(&mut self) -> Option<&'m [u8]> {
        let length = usize::try_from(self.u64()?).ok()?;
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Whether all of it was read.
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_short_is_none() {
        let mut encoder = Encoder::default();
        encoder.u8(1);
        encoder.u16(2);
        encoder.words(&[3, 4]);
        encoder.bytes(b"five");
        encoder.u64(6);
        let message = encoder.into_bytes();
        let read = |message: &[u8]| {
            let mut decoder = Decoder(message);
            let mut words = Vec::new();
            let (first, second) = (decoder.u8()?, decoder.u16()?);
            decoder.words_into(&mut words)?;
            let bytes = decoder.bytes()?.to_vec();
            let last = decoder.u64()?;
            decoder.is_over().then_some((first, second, words, bytes, last))
        };
        assert_eq!(read(&message), Some((1, 2, vec![3, 4], b"five".to_vec(), 6)));
        for cut in 0..message.len() {
            assert_eq!(read(&message[..cut]), None, "{cut} bytes");
        }
        // A length that was made up takes no memory.
        assert_eq!(Decoder(&[255; 12]).words_into(&mut Vec::new()), None);
        assert_eq!(Decoder(&[255; 12]).bytes(), None);
    }
}
