//! Takes a person out of the files that runs have put out.
//!
//! A file is cut into the parts that stand by themselves (the rows of a table, the entries of a calendar, the lines
//! of JSON, the rows of a page), and those that name the person go. What cannot be cut (a mail, a workbook) goes
//! whole. Each file is replaced by one rename and the manifest says its new size and hash, so that whoever checks a
//! folder finds it sound; doing it again changes nothing, so a kill in between is mended by doing it again.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::publication::{MANIFEST, create_file, sync_folder};
use super::traces::{Finder, Traces};
use crate::model::ids::hex;

/// What the name of a file begins with while it takes another's place.
const DRAFT_PREFIX: &str = ".erasing-";

/// What a manifest is to say once all files are as it says.
const MANIFEST_DRAFT: &str = ".erasing-manifest.json";

/// A file that named the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// Id of the run that put it out.
    pub run: String,
    /// Path inside the run's folder, with forward slashes.
    pub file: String,
    /// Parts that name the person: rows, entries; 1 of what cannot be cut.
    pub parts: u64,
}

/// Returns the files below `out_dir` that name whoever left `traces`, by run and name.
pub fn find(out_dir: &Path, traces: &Traces) -> Result<Vec<Carrier>> {
    each_folder(out_dir, traces, look_into)
}

/// Takes whoever left `traces` out of every file below `out_dir`; `by` is the run that erases them. Returns what
/// changed.
pub fn erase(out_dir: &Path, traces: &Traces, by: &str) -> Result<Vec<Carrier>> {
    each_folder(out_dir, traces, |folder, run, finder, carriers| {
        let known = carriers.len();
        look_into(folder, run, finder, carriers)?;
        let changed = &carriers[known..];
        let draft = folder.join(MANIFEST_DRAFT);
        if !changed.is_empty() && read_if_there(&draft)?.is_none() {
            draft_manifest(folder, changed, finder, by)?;
        }
        for one in changed {
            let path = folder.join(&one.file);
            match without(&one.file, &read(&path)?, finder).0 {
                Some(left) => replace(&path, &left)?,
                None => remove(&path)?,
            }
        }
        if read_if_there(&draft)?.is_some() {
            put_in_place(&draft, &folder.join(MANIFEST))?;
        }
        mend_manifest(folder)
    })
}

/// Adds the files of a run's folder that name whom `finder` looks for.
fn look_into(folder: &Path, run: &str, finder: &Finder, found: &mut Vec<Carrier>) -> Result<()> {
    for file in files_of(folder)? {
        let (_, parts) = without(&file, &read(&folder.join(&file))?, finder);
        if parts > 0 {
            found.push(Carrier { run: run.to_owned(), file, parts });
        }
    }
    Ok(())
}

fn each_folder(
    out_dir: &Path,
    traces: &Traces,
    mut visit: impl FnMut(&Path, &str, &Finder, &mut Vec<Carrier>) -> Result<()>,
) -> Result<Vec<Carrier>> {
    let mut carriers = Vec::new();
    let runs = out_dir.join("runs");
    if traces.is_empty() || !is_folder(&runs)? {
        return Ok(carriers);
    }
    let finder = traces.finder()?;
    for run in names_in(&runs)? {
        let folder = runs.join(&run);
        if is_folder(&folder)? {
            visit(&folder, &run, &finder, &mut carriers)?;
        }
    }
    Ok(carriers)
}

/// Returns what is left of the file `name` without what names the person, and how many parts do; nothing is left of
/// a file that cannot be cut.
pub(super) fn without(name: &str, bytes: &[u8], finder: &Finder) -> (Option<Vec<u8>>, u64) {
    let ending = name.rsplit('.').next().unwrap_or_default();
    let whole = |is_found: bool| (None, u64::from(is_found));
    // Here ids of leads that are gone stand, and nothing else of them: by these a CRM is told whom to take out.
    let is_of_ids = name.starts_with("crm/") && name.ends_with("withdrawn.csv");
    if is_of_ids || ["run.json", MANIFEST].contains(&name) {
        return (Some(bytes.to_vec()), 0);
    }
    if finder.finds_in(name) {
        return whole(true);
    }
    // A workbook, an archive or Parquet: its text is compressed. What cannot be looked into goes.
    if bytes.starts_with(b"PK\x03\x04") {
        return whole(unpacked(bytes).is_none_or(|text| finder.finds_in(&text)));
    }
    if bytes.starts_with(b"PAR1") {
        let mut is_named = false;
        let read = super::encoding::read_guarded(|| {
            let mut look = |cells: Vec<String>| is_named |= finder.finds_in(&cells.join("\n"));
            super::parquet::each_row(bytes, |_, cells| look(cells))
        });
        return whole(read.is_none() || is_named);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return whole(finder.finds_in(&String::from_utf8_lossy(bytes)));
    };
    let is_named = |part: &str| finder.finds_in(part);
    match ending {
        "csv" | "tsv" => cut(&records(text), is_named, true),
        "jsonl" | "ndjson" => cut(&lines(text), is_named, false),
        "ics" | "vcf" => cut(&entries(text), |part| is_named(&unfolded(part)), false),
        "html" => cut(&page_rows(text), |part| is_named(&unescaped(part)), false),
        _ => whole(is_named(text)),
    }
}

/// Leaves out the parts that `is_named`; the first one of a table is its header.
fn cut(
    parts: &[&str],
    is_named: impl Fn(&str) -> bool,
    has_header: bool,
) -> (Option<Vec<u8>>, u64) {
    let mut left = Vec::new();
    let mut gone = 0;
    for (at, part) in parts.iter().enumerate() {
        if (at > 0 || !has_header) && is_named(part) {
            gone += 1;
        } else {
            left.extend_from_slice(part.as_bytes());
        }
    }
    (Some(left), gone)
}

/// Returns the records of a table with their line ends; a quoted cell may hold some.
fn records(text: &str) -> Vec<&str> {
    let (mut found, mut from, mut is_quoted) = (Vec::new(), 0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => {
                found.push(&text[from..=at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[from..]);
    found.retain(|part| !part.is_empty());
    found
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Returns the entries of a calendar, each whole, and the lines around them.
fn entries(text: &str) -> Vec<&str> {
    let is_begin = |line: &str| ["BEGIN:VTODO", "BEGIN:VEVENT"].contains(&line.trim_end());
    let is_end = |line: &str| ["END:VTODO", "END:VEVENT"].contains(&line.trim_end());
    let (mut found, mut at, mut begun) = (Vec::new(), 0, None);
    for line in lines(text) {
        let end = at + line.len();
        if is_begin(line) {
            begun = Some(at);
        }
        match begun {
            Some(from) if is_end(line) => {
                found.push(&text[from..end]);
                begun = None;
            }
            Some(_) => {}
            None => found.push(line),
        }
        at = end;
    }
    found.extend(begun.map(|from| &text[from..]));
    found
}

/// Returns the rows of a page's tables and what stands between them; a row holds no other.
fn page_rows(text: &str) -> Vec<&str> {
    const END: &str = "</tr>";
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("<tr") {
        let length = rest[start..].find(END).map_or(rest.len() - start, |end| end + END.len());
        found.extend([&rest[..start], &rest[start..start + length]]);
        rest = &rest[start + length..];
    }
    found.push(rest);
    found
}

/// Joins the lines that a calendar broke (RFC 5545, 3.1), and takes the backslashes off.
fn unfolded(part: &str) -> String {
    part.replace("\r\n ", "").replace("\n ", "").replace("\\n", "\n").replace('\\', "")
}

/// Puts the signs back that a page spells out.
fn unescaped(part: &str) -> String {
    let signs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&#x2f;", "/"),
        ("&amp;", "&"),
    ];
    signs.iter().fold(part.to_owned(), |text, (escape, sign)| text.replace(escape, sign))
}

/// Returns all texts of a zip archive; `None` when it cannot be read.
fn unpacked(bytes: &[u8]) -> Option<String> {
    let mut archive = zip::ZipArchive::new(io::Cursor::new(bytes)).ok()?;
    let mut text = String::new();
    for at in 0..archive.len() {
        let mut member = Vec::new();
        archive.by_index(at).ok()?.read_to_end(&mut member).ok()?;
        text.push_str(&unescaped(&String::from_utf8_lossy(&member)));
        text.push('\n');
    }
    Some(text)
}

/// Writes down what the manifest of `folder` is to say once what names the person is gone from the files `changed`.
///
/// It is on the disk before any of them changes: whoever goes on after a kill could not count any more what went.
fn draft_manifest(folder: &Path, changed: &[Carrier], finder: &Finder, by: &str) -> Result<()> {
    let Some((_, mut manifest)) = manifest_of(folder)? else { return Ok(()) };
    for entry in entries_of(&mut manifest) {
        let name = entry["name"].as_str().unwrap_or_default();
        if let Some(one) = changed.iter().find(|one| one.file == name) {
            let (left, _) = without(name, &read(&folder.join(name))?, finder);
            list(entry, left.as_deref(), one.parts);
        }
    }
    let erased = manifest.entry("erased_by").or_insert_with(|| json!([]));
    if let Value::Array(runs) = erased
        && !runs.contains(&json!(by))
    {
        runs.push(json!(by));
    }
    replace(&folder.join(MANIFEST_DRAFT), spelled(manifest)?.as_bytes())
}

/// Lets the manifest of `folder` list its files as they are, should it not: an older leadmill that was killed left it so.
fn mend_manifest(folder: &Path) -> Result<()> {
    let Some((text, mut manifest)) = manifest_of(folder)? else { return Ok(()) };
    for entry in entries_of(&mut manifest) {
        let bytes = read_if_there(&folder.join(entry["name"].as_str().unwrap_or_default()))?;
        let sha256 = bytes.as_deref().map(|bytes| hex(&Sha256::digest(bytes)));
        if entry["sha256"] != json!(sha256) {
            list(entry, bytes.as_deref(), 0);
        }
    }
    let new = spelled(manifest)?;
    if new == text { Ok(()) } else { replace(&folder.join(MANIFEST), new.as_bytes()) }
}

/// Returns the manifest of `folder` as it is spelled, and what it says; none where there is none.
fn manifest_of(folder: &Path) -> Result<Option<(String, Map<String, Value>)>> {
    let path = folder.join(MANIFEST);
    let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
    let naming = || format!("read {}", path.display());
    let text = String::from_utf8(bytes).with_context(naming)?;
    let manifest = serde_json::from_str(&text).with_context(naming)?;
    Ok(Some((text, manifest)))
}

fn entries_of(manifest: &mut Map<String, Value>) -> &mut [Value] {
    match manifest.get_mut("files") {
        Some(Value::Array(files)) => files,
        _ => &mut [],
    }
}

fn spelled(manifest: Map<String, Value>) -> Result<String> {
    Ok(serde_json::to_string_pretty(&Value::Object(manifest))? + "\n")
}

/// Lets `entry` say what is left of its file, of which `gone` parts went; one that is gone has no hash.
fn list(entry: &mut Value, left: Option<&[u8]>, gone: u64) {
    let parts_before = entry["erased"].as_u64().unwrap_or_default();
    let rows_before = entry["rows"].as_u64();
    let gone = if left.is_some() { gone } else { 1 };
    entry["sha256"] = json!(left.map(|left| hex(&Sha256::digest(left))));
    entry["bytes"] = json!(left.map_or(0, <[u8]>::len));
    entry["erased"] = json!(parts_before + gone);
    if let Some(rows) = rows_before {
        entry["rows"] = json!(if left.is_some() { rows.saturating_sub(gone) } else { 0 });
    }
}

fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let naming = || format!("write {}", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!("{DRAFT_PREFIX}{name}"));
    // One that a killed run left.
    let _ = fs::remove_file(&draft);
    let mut file = create_file(&draft)?;
    file.write_all(bytes).with_context(naming)?;
    file.sync_all().with_context(naming)?;
    put_in_place(&draft, path)
}

/// Lets what lies at `draft` take the place of what lies at `path`, in the same folder.
fn put_in_place(draft: &Path, path: &Path) -> Result<()> {
    fs::rename(draft, path).with_context(|| format!("write {}", path.display()))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).with_context(|| format!("remove {}", path.display()))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    read_if_there(path)?.with_context(|| format!("{} is gone", path.display()))
}

/// Returns what the file at `path` holds; none where there is no such file. A disk that cannot tell is no missing file.
fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(fault).with_context(|| format!("read {}", path.display())),
    }
}

/// Returns whether there is a folder at `path`, be it by a link.
fn is_folder(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(found) => Ok(found.is_dir()),
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(fault) => Err(fault).with_context(|| format!("read {}", path.display())),
    }
}

/// Returns the files of a run's folder by their paths in it, in order; drafts that a killed run left are removed.
fn files_of(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders: Vec<(PathBuf, String)> = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for name in names_in(&folder)? {
            let path = folder.join(&name);
            if prefix.is_empty() && name == MANIFEST_DRAFT {
                continue;
            }
            if name.starts_with(DRAFT_PREFIX) {
                remove(&path)?;
            } else if is_folder(&path)? {
                folders.push((path, format!("{prefix}{name}/")));
            } else {
                found.push(format!("{prefix}{name}"));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn names_in(folder: &Path) -> Result<Vec<String>> {
    let naming = || format!("read {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(naming)? {
        let name = entry.with_context(naming)?.file_name();
        names.extend(name.to_str().map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anna() -> Traces {
        Traces {
            ids: vec!["LM-0123456789AB".to_owned()],
            emails: vec!["anna@przyklad.pl".to_owned()],
            names: vec!["Anna O'Żak".to_owned()],
            ..Traces::default()
        }
    }

    #[track_caller]
    fn check(name: &str, text: &str, left: Option<&str>, parts: u64) {
        let finder = anna().finder().unwrap();
        let found = without(name, text.as_bytes(), &finder);
        let left = left.map(|left| left.as_bytes().to_vec());
        assert_eq!(found, (left, parts), "{name}");
    }

    #[test]
    fn a_table_loses_rows_whatever_a_cell_holds() {
        check(
            "crm/leads.csv",
            "email,note\nanna@przyklad.pl,\"a\n\"\"b\"\"\"\njan@example.com,\"x\ny\"\n",
            Some("email,note\njan@example.com,\"x\ny\"\n"),
            1,
        );
        // What the header says names nobody, whatever it says.
        check("a.csv", "anna@przyklad.pl\nx\n", Some("anna@przyklad.pl\nx\n"), 0);
    }

    #[test]
    fn a_calendar_loses_entries_also_where_its_lines_are_broken() {
        let calendar = |entries: &str| format!("BEGIN:VCALENDAR\r\n{entries}END:VCALENDAR\r\n");
        let entry = |text: &str| format!("BEGIN:VTODO\r\nSUMMARY:{text}\r\nEND:VTODO\r\n");
        let both = entry("mail to anna@prz\r\n yklad.pl") + &entry("mail to jan");
        check("tasks.ics", &calendar(&both), Some(&calendar(&entry("mail to jan"))), 1);
    }

    #[test]
    fn lines_and_rows_of_a_page_go_alone_and_a_mail_goes_whole() {
        check("x.jsonl", "{\"a\":\"Anna O'Żak\"}\n{}\n", Some("{}\n"), 1);
        check(
            "report.html",
            "<table><tr><td>Anna O&#x27;Żak</td></tr>\n<tr><td>Jan</td></tr></table>",
            Some("<table>\n<tr><td>Jan</td></tr></table>"),
            1,
        );
        check("mails/LM-0123456789AB_hot.eml", "To: =?utf-8?Q?x?=", None, 1);
        check("mails/LM-AAAAAAAAAAAA_hot.eml", "To: =?utf-8?Q?x?=", None, 0);
    }

    #[test]
    fn ids_that_a_crm_is_told_of_stay() {
        let text = "lead-id,now-in\nLM-0123456789AB,\n";
        check("crm/withdrawn.csv", text, Some(text), 0);
        check("crm/salesforce-lead-withdrawn.csv", text, Some(text), 0);
    }

    #[test]
    fn a_folder_is_sound_afterwards_and_doing_it_again_changes_nothing() {
        let out = tempfile::tempdir().unwrap();
        let mut staging = super::super::publication::Staging::create(out.path(), "r1").unwrap();
        let table = "lead-id\nLM-0123456789AB\nLM-AAAAAAAAAAAA\n";
        staging.write_file("crm/leads.csv", table.as_bytes(), Some(2)).unwrap();
        staging.write_file("mails/LM-0123456789AB_x.eml", b"x", None).unwrap();
        staging.publish(json!({"run": "r1"})).unwrap();
        let found = find(out.path(), &anna()).unwrap();
        assert_eq!(erase(out.path(), &anna(), "r2").unwrap(), found);
        assert_eq!(found.len(), 2);
        let folder = out.path().join("runs/r1");
        let manifest = || fs::read_to_string(folder.join(MANIFEST)).unwrap();
        let said: Value = serde_json::from_str(&manifest()).unwrap();
        let left = fs::read(folder.join("crm/leads.csv")).unwrap();
        assert_eq!(left, b"lead-id\nLM-AAAAAAAAAAAA\n");
        assert_eq!(said["files"][0]["sha256"], hex(&Sha256::digest(&left)));
        assert_eq!(
            (&said["files"][0]["rows"], &said["files"][0]["erased"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(said["files"][1]["sha256"], Value::Null);
        assert_eq!(said["erased_by"], json!(["r2"]));
        let before = manifest();
        fs::write(folder.join(".erasing-leads.csv"), "what a killed run left").unwrap();
        assert_eq!(erase(out.path(), &anna(), "r2").unwrap(), []);
        assert_eq!(manifest(), before);
        assert!(!folder.join(".erasing-leads.csv").exists());
    }

    #[test]
    fn whoever_goes_on_after_a_kill_counts_what_went_before() {
        let make = || {
            let out = tempfile::tempdir().unwrap();
            let mut staging = super::super::publication::Staging::create(out.path(), "r1").unwrap();
            let table = "lead-id\nLM-0123456789AB\nLM-AAAAAAAAAAAA\n";
            for name in ["a.csv", "b.csv"] {
                staging.write_file(name, table.as_bytes(), Some(2)).unwrap();
            }
            staging.publish(json!({"run": "r1"})).unwrap();
            out
        };
        let manifest = |out: &Path| fs::read_to_string(out.join("runs/r1").join(MANIFEST)).unwrap();
        let (whole, cut) = (make(), make());
        erase(whole.path(), &anna(), "r2").unwrap();
        // The draft is there and the first of the files is done.
        let folder = cut.path().join("runs/r1");
        let changed = find(cut.path(), &anna()).unwrap();
        draft_manifest(&folder, &changed, &anna().finder().unwrap(), "r2").unwrap();
        replace(&folder.join("a.csv"), b"lead-id\nLM-AAAAAAAAAAAA\n").unwrap();
        assert_eq!(erase(cut.path(), &anna(), "r2").unwrap().len(), 1);
        assert_eq!(manifest(cut.path()), manifest(whole.path()));
        assert!(!folder.join(MANIFEST_DRAFT).exists());
    }

    #[test]
    fn nothing_is_taken_out_while_a_manifest_cannot_be_read() {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().join("runs/r1");
        fs::create_dir_all(folder.join(MANIFEST)).unwrap();
        let table = "lead-id\nLM-0123456789AB\n";
        fs::write(folder.join("a.csv"), table).unwrap();
        let fault = format!("{:#}", erase(out.path(), &anna(), "r2").unwrap_err());
        assert!(fault.starts_with(&format!("read {}", folder.join(MANIFEST).display())), "{fault}");
        assert_eq!(fs::read_to_string(folder.join("a.csv")).unwrap(), table);
        // Without any there is nothing to say.
        fs::remove_dir(folder.join(MANIFEST)).unwrap();
        assert_eq!(erase(out.path(), &anna(), "r2").unwrap().len(), 1);
        assert_eq!(fs::read_to_string(folder.join("a.csv")).unwrap(), "lead-id\n");
    }
}
