//! The first pass over an input: its hash, its character set, and whether it is text at all.

use std::io::Read as _;
use std::sync::Arc;

use super::bytes::Store;
use super::encoding::{Charset, CharsetCounts};
use super::small_dates::SmallDates;
use super::utf16::utf16_head;
use super::workbook::Places;
use super::{Caps, Refusal, RefusalKind};

const HEAD_BYTES: usize = 256 << 10;
/// A file system that lost power leaves zeros where data should have been, never just a few.
const ZEROS_MIN: usize = 64;

/// What the first pass found.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) sha256: [u8; 32],
    pub(super) bytes: u64,
    pub(super) charset: Charset,
    pub(super) bom: bool,
    /// The first bytes in UTF-8 or the legacy encoding, without a byte order mark.
    pub(super) head: Vec<u8>,
    /// Whether the head is the whole input.
    pub(super) head_is_all: bool,
    /// Whether the order of day and month matters to some date in it.
    pub(super) has_small_dates: bool,
    /// Of a workbook: which line is which row.
    pub(super) places: Option<Arc<Places>>,
}

/// Reads the whole input once; refuses what is not a table or a list of records.
pub(super) fn survey(store: &Store, caps: &Caps) -> Result<Survey, Refusal> {
    let mut reader = store.open(caps).map_err(|error| store.refusal(&error))?;
    let tally = reader.tally.clone();
    let places = reader.places.clone();
    let mut counts = CharsetCounts::default();
    let mut small_dates = SmallDates::default();
    let mut head = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        let count = reader.read(&mut chunk).map_err(|error| store.refusal(&error))?;
        if count == 0 {
            break;
        }
        if head.len() < HEAD_BYTES {
            head.extend_from_slice(&chunk[..count.min(HEAD_BYTES - head.len())]);
        }
        counts.feed(&chunk[..count]);
        small_dates.feed(&chunk[..count]);
    }
    let bytes = tally.bytes();
    let head_is_all = head.len() as u64 == bytes;
    let (charset, bom, cut) = if let Some((charset, bom)) = utf16(&head) {
        (charset, bom, bytes % 2 == 1)
    } else {
        let (charset, cut) = counts.finish();
        (charset, head.starts_with(b"\xEF\xBB\xBF"), cut)
    };
    if charset.is_utf16() {
        head = utf16_head(&head, charset == Charset::Utf16Le);
    } else if bom {
        head.drain(..3);
    }
    refuse_what_is_no_export(&store.name, &head)?;
    if cut {
        return Err(Refusal::new(
            &store.name,
            RefusalKind::Truncated,
            "the file ends in the middle of a character",
            "it was probably cut while being copied: export or download it again",
        ));
    }
    let sha256 = tally.sha256().unwrap_or_default();
    let has_small_dates = small_dates.finish();
    Ok(Survey { sha256, bytes, charset, bom, head, head_is_all, has_small_dates, places })
}

/// Recognizes UTF-16 by its byte order mark or by the zeros in every other byte of ASCII text.
fn utf16(head: &[u8]) -> Option<(Charset, bool)> {
    if head.starts_with(b"\xFF\xFE") {
        return Some((Charset::Utf16Le, true));
    }
    if head.starts_with(b"\xFE\xFF") {
        return Some((Charset::Utf16Be, true));
    }
    let pairs = head[..head.len().min(4096)].chunks_exact(2);
    let count = pairs.len();
    let (mut first, mut second) = (0, 0);
    for pair in pairs {
        first += usize::from(pair[0] == 0);
        second += usize::from(pair[1] == 0);
    }
    if count >= 8 && second * 10 > count * 6 && first * 20 < count {
        Some((Charset::Utf16Le, false))
    } else if count >= 8 && first * 10 > count * 6 && second * 20 < count {
        Some((Charset::Utf16Be, false))
    } else {
        None
    }
}

fn refuse_what_is_no_export(name: &str, head: &[u8]) -> Result<(), Refusal> {
    let refuse = |kind, message: &str, hint: &str| Err(Refusal::new(name, kind, message, hint));
    let text = head.trim_ascii_start();
    if text.iter().all(|&byte| byte == 0x1A) {
        return refuse(RefusalKind::Empty, "the file is empty", "export it again");
    }
    if text.starts_with(b"PK\x03\x04") || text.starts_with(b"\xD0\xCF\x11\xE0") {
        return refuse(
            RefusalKind::NotText,
            "this is a workbook of Excel 97-2003, a workbook with a password, or a compressed file inside \
             another",
            "open it in a spreadsheet, take the password off and save it as .xlsx or as \"CSV UTF-8\"",
        );
    }
    let start = text[..text.len().min(4096)].to_ascii_lowercase();
    let is_html = [&b"<!doctype html"[..], b"<html", b"<head", b"<table", b"<meta", b"<style"]
        .iter()
        .any(|tag| start.starts_with(tag));
    let has = |tag: &[u8]| text.windows(tag.len()).any(|part| part.eq_ignore_ascii_case(tag));
    if is_html && has(b"</tr>") && !has(b"type=\"password\"") {
        return refuse(
            RefusalKind::Html,
            "this is a table on a web page, under the name of an export",
            "open it in a spreadsheet and save it as .xlsx or as \"CSV UTF-8\"",
        );
    }
    if is_html {
        return refuse(
            RefusalKind::Html,
            "this is a web page, not an export",
            "a sharing link that expired or needs a login returns its login page: open the link in a \
             browser and download the file again",
        );
    }
    let zeros = head.iter().rev().take_while(|&&byte| byte == 0).count();
    if zeros >= ZEROS_MIN && zeros < head.len() {
        return refuse(
            RefusalKind::Truncated,
            "the file ends in zeros where its rows should be",
            "it was probably cut while being copied: export or download it again",
        );
    }
    // Old programs fill the last block with end-of-file marks; the reader of records passes over them.
    let padding = head.iter().rev().take_while(|&&byte| byte == 0x1A).count();
    let sample = &head[..(head.len() - padding).min(8192)];
    let controls = sample
        .iter()
        .filter(|&&byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0B | 0x0C))
        .count();
    let high = sample.iter().filter(|&&byte| byte >= 0x80).count();
    let (controls, high) = (controls * 100 / sample.len(), high * 100 / sample.len());
    let looks_binary =
        controls > 10 || (controls > 2 && high > 25 && std::str::from_utf8(sample).is_err());
    if looks_binary || text.starts_with(b"%PDF") {
        return refuse(
            RefusalKind::NotText,
            "this is not text",
            "export the leads as CSV or JSON; pictures, PDFs and databases cannot be read",
        );
    }
    Ok(())
}
