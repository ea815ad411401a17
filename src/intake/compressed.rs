//! Takes compression off: gzip, zstd, and the members of zip archives.
//!
//! Each reader here checks what its format lets it check (CRC, checksum, length), so that a cut or
//! damaged file is an error and never a shorter export.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Bytes on their way in.
pub(super) type Bytes = Box<dyn Read + Send>;

const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
/// RFC 8878, section 3.1.1.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
const READ_BYTES: usize = 1 << 16;

/// Returns `reader` decompressed, and whether it was compressed.
pub(super) fn unpacked(mut reader: Bytes) -> io::Result<(Bytes, bool)> {
    let mut magic = Vec::new();
    Read::by_ref(&mut reader).take(4).read_to_end(&mut magic)?;
    let is_gzip = magic.starts_with(&GZIP_MAGIC);
    let is_zstd = magic == ZSTD_MAGIC || is_skippable(&magic);
    let whole = io::Cursor::new(magic).chain(reader);
    Ok(if is_gzip {
        (Box::new(MultiGzDecoder::new(BufReader::with_capacity(READ_BYTES, whole))), true)
    } else if is_zstd {
        (Box::new(ZstdReader::new(Box::new(whole))), true)
    } else {
        (Box::new(whole), false)
    })
}

/// Frames that zstd leaves room for and decoders pass over (RFC 8878, section 3.1.2).
fn is_skippable(magic: &[u8]) -> bool {
    matches!(magic, [0x50..=0x5F, 0x2A, 0x4D, 0x18])
}

/// Reads all frames of a zstd stream.
struct ZstdReader {
    frame: Frame,
    /// Whether the compressed bytes have ended: an error after that means a cut file.
    ended: Arc<AtomicBool>,
}

enum Frame {
    Between(Watched),
    Inside(Box<StreamingDecoder<Watched, FrameDecoder>>),
    Done,
}

/// Remembers that its reader came to an end.
struct Watched {
    reader: BufReader<Bytes>,
    ended: Arc<AtomicBool>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            self.ended.store(true, Ordering::Relaxed);
        }
        Ok(count)
    }
}

impl ZstdReader {
    fn new(reader: Bytes) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let reader = BufReader::with_capacity(READ_BYTES, reader);
        Self { frame: Frame::Between(Watched { reader, ended: ended.clone() }), ended }
    }

    /// Says why decoding stopped; the decoder itself calls a missing end many things.
    fn fault(&self, message: impl std::fmt::Display) -> io::Error {
        let is_cut = self.ended.load(Ordering::Relaxed);
        let kind = if is_cut { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData };
        io::Error::new(kind, message.to_string())
    }

    /// Starts the next frame, or finds that there is none.
    fn advance(&self, mut source: Watched) -> io::Result<Frame> {
        loop {
            let mut magic = Vec::new();
            Read::by_ref(&mut source).take(4).read_to_end(&mut magic)?;
            if magic.is_empty() {
                return Ok(Frame::Done);
            }
            if is_skippable(&magic) {
                let mut length = [0; 4];
                source.read_exact(&mut length)?;
                let length = u64::from(u32::from_le_bytes(length));
                if io::copy(&mut Read::by_ref(&mut source).take(length), &mut io::sink())? < length
                {
                    return Err(self.fault("a skippable frame is cut"));
                }
                continue;
            }
            if magic != ZSTD_MAGIC {
                return Err(self.fault("something else stands behind the last frame"));
            }
            let Watched { reader, ended } = source;
            let whole: Bytes = Box::new(io::Cursor::new(magic).chain(reader));
            let source = Watched { reader: BufReader::with_capacity(READ_BYTES, whole), ended };
            let decoder = StreamingDecoder::new(source).map_err(|error| self.fault(error))?;
            return Ok(Frame::Inside(Box::new(decoder)));
        }
    }
}

impl Read for ZstdReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.frame, Frame::Done) {
                Frame::Done => return Ok(0),
                Frame::Between(source) => self.frame = self.advance(source)?,
                Frame::Inside(mut decoder) => {
                    let count = decoder.read(buffer).map_err(|error| self.fault(error))?;
                    if count > 0 || buffer.is_empty() {
                        self.frame = Frame::Inside(decoder);
                        return Ok(count);
                    }
                    let (source, frame) = decoder.into_parts();
                    if let Some(expected) = frame.get_checksum_from_data()
                        && frame.get_calculated_checksum() != Some(expected)
                    {
                        return Err(self.fault("the checksum does not fit"));
                    }
                    self.frame = Frame::Between(source);
                }
            }
        }
    }
}

/// Reads one member of a zip archive from where its compressed bytes start.
pub(super) struct MemberReader {
    reader: Bytes,
    crc: Crc,
    bytes_left: u64,
    expected_crc: u32,
}

impl MemberReader {
    /// Reads a member of `packed_bytes`, deflated or stored, that holds `bytes` with the CRC-32 `crc32`.
    pub(super) fn new(
        source: Bytes,
        packed_bytes: u64,
        is_deflated: bool,
        bytes: u64,
        crc32: u32,
    ) -> Self {
        let packed = BufReader::with_capacity(READ_BYTES, source.take(packed_bytes));
        let reader: Bytes =
            if is_deflated { Box::new(DeflateDecoder::new(packed)) } else { Box::new(packed) };
        Self { reader, crc: Crc::new(), bytes_left: bytes, expected_crc: crc32 }
    }
}

impl Read for MemberReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let damaged = |message: &str| io::Error::new(io::ErrorKind::InvalidData, message);
        let count = self.reader.read(buffer)?;
        self.crc.update(&buffer[..count]);
        self.bytes_left = self
            .bytes_left
            .checked_sub(count as u64)
            .ok_or_else(|| damaged("it is longer than the archive says"))?;
        if count == 0 && !buffer.is_empty() {
            if self.bytes_left > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if self.crc.sum() != self.expected_crc {
                return Err(damaged("its checksum does not fit"));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn read(bytes: &[u8]) -> Result<String, io::ErrorKind> {
        let reader: Bytes = Box::new(io::Cursor::new(bytes.to_vec()));
        let mut text = String::new();
        let (mut reader, _) = unpacked(reader).map_err(|error| error.kind())?;
        reader.read_to_string(&mut text).map_err(|error| error.kind())?;
        Ok(text)
    }

    fn zstd(text: &str) -> Vec<u8> {
        compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_bytes_are_read_as_if_they_were_not() {
        let text = "e-mail;imię\nanna@example.com;Łucja\n".repeat(5000);
        assert_eq!(read(text.as_bytes()).unwrap(), text);
        assert_eq!(read(&gzip(&text)).unwrap(), text);
        assert_eq!(read(&zstd(&text)).unwrap(), text);
        assert_eq!(read(b"").unwrap(), "");
        assert_eq!(read(b"a").unwrap(), "a");
    }

    #[test]
    fn frames_and_members_in_a_row_are_one_stream() {
        let mut zstd_frames = b"\x52\x2A\x4D\x18\x03\0\0\0xyz".to_vec();
        zstd_frames.extend(zstd("one\n"));
        zstd_frames.extend(b"\x50\x2A\x4D\x18\0\0\0\0");
        zstd_frames.extend(zstd("two\n"));
        assert_eq!(read(&zstd_frames).unwrap(), "one\ntwo\n");
        assert_eq!(read(&[gzip("one\n"), gzip("two\n")].concat()).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_cut_stream_is_an_error_wherever_it_is_cut() {
        let lines: Vec<String> =
            (0..500).map(|number| format!("{},x{number}", number * 7919)).collect();
        let text = lines.join("\n");
        for whole in [zstd(&text), gzip(&text)] {
            for end in (5..whole.len()).step_by(7) {
                let found = read(&whole[..end]);
                assert_eq!(found, Err(io::ErrorKind::UnexpectedEof), "{end} of {}", whole.len());
            }
        }
    }

    #[test]
    fn what_stands_behind_the_last_frame_is_damage() {
        let mut bytes = zstd("one\n");
        bytes.extend(b"garbage");
        assert_eq!(read(&bytes), Err(io::ErrorKind::InvalidData));
    }
}
