//! Opens an input as decompressed bytes, twice the same way, and keeps count of what was read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use encoding_rs::{CoderResult, Decoder, DecoderResult, UTF_16BE, UTF_16LE};
use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::locate::InputPath;
use super::{Caps, Refusal, RefusalKind};

const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
const RATIO_FREE_BYTES: u64 = 10 << 20;
static SPOOLS: AtomicU64 = AtomicU64::new(0);

/// Where an input's bytes lie: the file itself, or a private copy of standard input.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    pub(super) name: String,
    pub(super) file_bytes: u64,
    is_spool: bool,
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.is_spool {
            // A copy that cannot be removed stays in the temporary folder, which others clean.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Store {
    /// Makes `input` readable more than once.
    pub(super) fn new(input: &InputPath, caps: &Caps) -> Result<Self, Refusal> {
        let unreadable = |error: &io::Error| unreadable(&input.name, error);
        if input.is_stdin() {
            return spool(io::stdin().lock(), caps).map_err(|error| unreadable(&error));
        }
        let found = fs::metadata(&input.path).map_err(|error| unreadable(&error))?;
        if !found.is_file() {
            return Err(Refusal::new(
                &input.name,
                RefusalKind::Unreadable,
                "this is not a regular file",
                "save the export to a file, or pass `-` and pipe it in",
            ));
        }
        Ok(Self {
            path: input.path.clone(),
            name: input.name.clone(),
            file_bytes: found.len(),
            is_spool: false,
        })
    }

    /// Opens the decompressed bytes.
    pub(super) fn open(&self, caps: &Caps) -> io::Result<Tallied> {
        let mut file = File::open(&self.path)?;
        let mut magic = Vec::new();
        Read::by_ref(&mut file).take(2).read_to_end(&mut magic)?;
        let whole = io::Cursor::new(magic.clone()).chain(file);
        let reader: Box<dyn Read + Send> = if magic == GZIP_MAGIC {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, whole)))
        } else {
            Box::new(whole)
        };
        Ok(Tallied {
            reader,
            hash: Sha256::new(),
            tally: Arc::default(),
            limit: caps.input_bytes,
            ratio_limit: caps.ratio.saturating_mul(self.file_bytes.max(1)),
            is_gzip: magic == GZIP_MAGIC,
        })
    }

    /// Says in people's words why reading failed.
    pub(super) fn refusal(&self, error: &io::Error) -> Refusal {
        unreadable(&self.name, error)
    }
}

fn spool(mut stdin: impl Read, caps: &Caps) -> io::Result<Store> {
    let number = SPOOLS.fetch_add(1, Ordering::Relaxed);
    let name = format!("leadmill-stdin-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&path)?;
    let mut store = Store { path, name: "-".to_owned(), file_bytes: 0, is_spool: true };
    store.file_bytes = io::copy(&mut stdin.by_ref().take(caps.input_bytes + 1), &mut file)?;
    file.flush()?;
    Ok(store)
}

/// Says in people's words why the input called `name` could not be read.
pub(super) fn unreadable(name: &str, error: &io::Error) -> Refusal {
    if let Some(cap) = error.get_ref().and_then(|inner| inner.downcast_ref::<OverCap>()) {
        return Refusal::new(
            name,
            RefusalKind::OverCap,
            &cap.to_string(),
            "split the file, or check where it comes from",
        );
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Refusal::new(
            name,
            RefusalKind::Truncated,
            "the compressed file ends too early",
            "copy or download it again",
        ),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Refusal::new(
            name,
            RefusalKind::Unreadable,
            &format!("the compressed file is damaged ({error})"),
            "copy or download it again",
        ),
        _ => Refusal::new(
            name,
            RefusalKind::Unreadable,
            &format!("it cannot be read: {error}"),
            "check that the file exists and that you may read it",
        ),
    }
}

#[derive(Debug)]
struct OverCap(String);

impl std::fmt::Display for OverCap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OverCap {}

/// What has been read so far, and the hash of all once the end was reached.
#[derive(Debug, Default)]
pub(super) struct Tally {
    bytes: AtomicU64,
    sha256: Mutex<Option<[u8; 32]>>,
}

impl Tally {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn sha256(&self) -> Option<[u8; 32]> {
        *self.sha256.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads decompressed bytes while hashing and counting them.
pub(super) struct Tallied {
    reader: Box<dyn Read + Send>,
    hash: Sha256,
    pub(super) tally: Arc<Tally>,
    limit: u64,
    ratio_limit: u64,
    is_gzip: bool,
}

impl Read for Tallied {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if count == 0 && !buffer.is_empty() {
            let digest = self.hash.clone().finalize();
            let mut sha256 = self.tally.sha256.lock().unwrap_or_else(PoisonError::into_inner);
            *sha256 = Some(digest.into());
        }
        self.hash.update(&buffer[..count]);
        let bytes = self.tally.bytes.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        if bytes > self.limit {
            return Err(io::Error::other(OverCap(format!(
                "it holds more than {} bytes",
                self.limit
            ))));
        }
        if self.is_gzip && bytes > RATIO_FREE_BYTES && bytes > self.ratio_limit {
            return Err(io::Error::other(OverCap(
                "it unpacks to far more than an export would (a decompression bomb)".to_owned(),
            )));
        }
        Ok(count)
    }
}

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
