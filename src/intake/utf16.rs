//! UTF-16 becomes UTF-8 on the way in, so that everything behind knows one kind of line end and quote.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, DecoderResult, UTF_16BE, UTF_16LE};

/// Turns UTF-16 into UTF-8; what is not UTF-16 becomes the byte 0xFF, which no UTF-8 has, so the
/// record that holds it is told apart later.
pub(super) struct Utf16Reader<R> {
    reader: R,
    decoder: Decoder,
    input: Vec<u8>,
    output: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Utf16Reader<R> {
    pub(super) fn new(reader: R, little_endian: bool) -> Self {
        let encoding = if little_endian { UTF_16LE } else { UTF_16BE };
        Self {
            reader,
            decoder: encoding.new_decoder_with_bom_removal(),
            input: vec![0; 1 << 15],
            output: Vec::new(),
            given: 0,
            ended: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let count = self.reader.read(&mut self.input)?;
        self.ended = count == 0;
        self.output.clear();
        self.given = 0;
        let mut rest = &self.input[..count];
        loop {
            let room = self.decoder.max_utf8_buffer_length(rest.len()).unwrap_or(1 << 17).max(16);
            let start = self.output.len();
            self.output.resize(start + room, 0);
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                rest,
                &mut self.output[start..],
                self.ended,
            );
            self.output.truncate(start + written);
            rest = &rest[read..];
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.output.push(0xFF),
            }
        }
    }
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.output.len() && !self.ended {
            self.refill()?;
        }
        let count = buffer.len().min(self.output.len() - self.given);
        buffer[..count].copy_from_slice(&self.output[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// Turns the first bytes of a UTF-16 stream, possibly cut inside a character, into UTF-8.
pub(super) fn utf16_head(bytes: &[u8], little_endian: bool) -> Vec<u8> {
    let encoding = if little_endian { UTF_16LE } else { UTF_16BE };
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let mut output = vec![0; decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(0)];
    let (result, _, written, _) = decoder.decode_to_utf8(bytes, &mut output, false);
    debug_assert_eq!(result, CoderResult::InputEmpty, "the buffer was made long enough");
    output.truncate(written);
    output
}
