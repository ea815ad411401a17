//! Finds the inputs that the command line names: files, folders, globs, standard input.

use std::fs;
use std::path::{Path, PathBuf};

use super::archive::Member;
use super::workbook::Sheet;

/// One input to open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputPath {
    /// Where it is; empty for standard input.
    pub path: PathBuf,
    /// Its name for people: the path with forward slashes, `-` for standard input.
    pub name: String,
    /// The file inside the archive at `path`, when it is not the file itself.
    pub(super) member: Option<Member>,
    /// The sheet of a workbook that has several to be read.
    pub(super) sheet: Option<Sheet>,
}

impl InputPath {
    /// Returns the input at `path`.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = path.to_string_lossy().replace('\\', "/");
        Self { path, name, member: None, sheet: None }
    }

    /// Returns the input at `path`, which people know as `name`.
    pub fn named(path: impl Into<PathBuf>, name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::file(path) }
    }

    /// Returns standard input.
    pub fn stdin() -> Self {
        Self { path: PathBuf::new(), name: "-".to_owned(), member: None, sheet: None }
    }

    /// Returns whether this is standard input.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str().is_empty()
    }
}

/// An argument that names no input, or something in a folder that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocateProblem {
    /// The argument; in a folder, the path.
    pub argument: String,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub hint: String,
}

const EXTENSIONS: &[&str] =
    &["csv", "tsv", "txt", "json", "jsonl", "ndjson", "xlsx", "xlsm", "xls", "zip"];

/// Returns the inputs that `args` name, sorted and each once, and what is wrong with the others.
///
/// A folder stands for the exports in it and in its subfolders, one level deep; a glob for the files
/// that match; `-` for standard input.
pub fn locate(args: &[String]) -> (Vec<InputPath>, Vec<LocateProblem>) {
    let mut inputs = Vec::new();
    let mut problems = Vec::new();
    for argument in args {
        match locate_one(argument) {
            Ok((found, faults)) => {
                inputs.extend(found);
                problems.extend(faults);
            }
            Err((message, hint)) => problems.push(LocateProblem {
                argument: argument.clone(),
                message,
                hint: hint.to_owned(),
            }),
        }
    }
    inputs.sort();
    inputs.dedup();
    (inputs, problems)
}

/// Returns the one input that `argument` names: a file, or `-` for standard input.
///
/// # Errors
/// When there is no such file, or it is something else.
pub fn locate_file(argument: &str) -> Result<InputPath, LocateProblem> {
    one_file(argument).map_err(|(message, hint)| LocateProblem {
        argument: argument.to_owned(),
        message,
        hint: hint.to_owned(),
    })
}

/// Returns the exports in `folder` and in its subfolders, one level deep, sorted, and what in it cannot be read: that
/// costs the others nothing. Whether there are any is for the caller to judge.
///
/// # Errors
/// When the folder itself cannot be read.
pub fn locate_folder(folder: &Path) -> Result<(Vec<InputPath>, Vec<LocateProblem>), LocateProblem> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for entry in entries(folder).map_err(|fault| unreadable("the folder", folder, &fault))? {
        match fs::metadata(&entry) {
            Ok(known) if known.is_dir() => match entries(&entry) {
                Ok(inner) => {
                    for file in inner.into_iter().filter(|file| has_export_name(file)) {
                        take_export(file, &mut found, &mut problems);
                    }
                }
                Err(fault) => problems.push(unreadable("the folder", &entry, &fault)),
            },
            // What it is nobody knows; it may be a folder full of exports.
            Err(fault) if !is_missing(&fault) => problems.push(unreadable("it", &entry, &fault)),
            _ if has_export_name(&entry) => take_export(entry, &mut found, &mut problems),
            // Notes, pictures.
            _ => {}
        }
    }
    Ok((found, problems))
}

/// Takes the file at `path`, which is named like an export.
fn take_export(path: PathBuf, found: &mut Vec<InputPath>, problems: &mut Vec<LocateProblem>) {
    match fs::metadata(&path) {
        Ok(known) if known.is_file() => found.push(InputPath::file(path)),
        // A folder below the subfolders, a pipe, a device.
        Ok(_) => {}
        // A link to nothing, or somebody has taken the file away since the folder was read.
        Err(fault) if is_missing(&fault) => {}
        Err(fault) => problems.push(unreadable("the file", &path, &fault)),
    }
}

fn is_missing(fault: &std::io::Error) -> bool {
    fault.kind() == std::io::ErrorKind::NotFound
}

fn unreadable(what: &str, path: &Path, fault: &std::io::Error) -> LocateProblem {
    LocateProblem {
        argument: path.to_string_lossy().into_owned(),
        message: format!("{what} cannot be read: {fault}"),
        hint: "check its permissions, and where it leads if it is a link".to_owned(),
    }
}

type Problem = (String, &'static str);

fn locate_one(argument: &str) -> Result<(Vec<InputPath>, Vec<LocateProblem>), Problem> {
    let path = Path::new(argument);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() && argument != "-" => some_in_folder(path, argument),
        Err(_) if argument.contains(['*', '?', '[']) => Ok((glob(argument)?, Vec::new())),
        _ => Ok((vec![one_file(argument)?], Vec::new())),
    }
}

/// Returns what [`locate_folder`] does of a folder that somebody named, so that it must hold something.
fn some_in_folder(
    folder: &Path,
    argument: &str,
) -> Result<(Vec<InputPath>, Vec<LocateProblem>), Problem> {
    let (found, problems) = locate_folder(folder).unwrap_or_else(|fault| (Vec::new(), vec![fault]));
    if found.is_empty() && problems.is_empty() {
        return Err((
            format!("the folder `{argument}` holds no exports"),
            "exports end in .csv .tsv .txt .json .jsonl .ndjson .xlsx or .zip, or one of these with .gz \
             or .zst",
        ));
    }
    Ok((found, problems))
}

fn one_file(argument: &str) -> Result<InputPath, Problem> {
    if argument == "-" {
        return Ok(InputPath::stdin());
    }
    let path = Path::new(argument);
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(InputPath::file(path)),
        Ok(found) if found.is_dir() => {
            Err((format!("`{argument}` is a folder"), "name one of the files in it"))
        }
        Ok(_) => Err((
            format!("`{argument}` is a pipe or a device, not a file"),
            "save the export to a file, or pass `-` and pipe it in",
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err((format!("there is no `{argument}`"), "check the spelling and the current folder"))
        }
        Err(error) => Err((
            format!("`{argument}` cannot be opened: {error}"),
            "check the permissions of the file and its folder",
        )),
    }
}

/// What a folder holds, sorted, without hidden and temporary files.
fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !is_unfinished(&entry.file_name().to_string_lossy()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn is_unfinished(name: &str) -> bool {
    let lower = name.to_lowercase();
    name.starts_with('.')
        || name.starts_with("~$")
        || [".tmp", ".part", ".crdownload"].iter().any(|ending| lower.ends_with(ending))
}

fn has_export_name(path: &Path) -> bool {
    is_export_name(&path.file_name().unwrap_or_default().to_string_lossy())
}

/// Returns whether a file of this name is taken for an export when a folder or an archive holds it.
pub(super) fn is_export_name(name: &str) -> bool {
    let name = name.to_lowercase();
    let bare = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending));
    let extension = bare.unwrap_or(&name).rsplit_once('.').map_or("", |(_, extension)| extension);
    EXTENSIONS.contains(&extension)
}

fn glob(pattern: &str) -> Result<Vec<InputPath>, Problem> {
    let mut found =
        if pattern.starts_with('/') { vec![PathBuf::from("/")] } else { vec![PathBuf::new()] };
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for base in &found {
            if part.contains(['*', '?', '[']) {
                let folder = if base.as_os_str().is_empty() { Path::new(".") } else { base };
                for entry in entries(folder).unwrap_or_default() {
                    let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    if glob_fits(part, &name) {
                        next.push(base.join(name));
                    }
                }
            } else {
                next.push(base.join(part));
            }
        }
        found = next;
    }
    found.retain(|path| path.is_file());
    if found.is_empty() {
        return Err((
            format!("no file matches `{pattern}`"),
            "check the pattern and the current folder",
        ));
    }
    found.sort();
    Ok(found.into_iter().map(InputPath::file).collect())
}

/// Returns whether `name` matches a glob of `*`, `?` and `[…]`.
pub(super) fn glob_fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut in_name) = (0, 0);
    // Where to take up again when a later part does not fit: after the last `*`, one character on.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if at < pattern.len() && pattern[at] == '*' {
            retry = Some((at + 1, in_name));
            at += 1;
            continue;
        }
        if in_name == name.len() {
            if at == pattern.len() {
                return true;
            }
        } else if let Some(next) = one_fits(&pattern, at, name[in_name]) {
            at = next;
            in_name += 1;
            continue;
        }
        match retry {
            Some((after_star, from)) if from < name.len() => {
                retry = Some((after_star, from + 1));
                at = after_star;
                in_name = from + 1;
            }
            _ => return false,
        }
    }
}

fn one_fits(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match *pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => {
            let end = at + 1 + pattern[at + 1..].iter().position(|&c| c == ']')?;
            let set = &pattern[at + 1..end];
            let (negated, set) = match set.first() {
                Some('!' | '^') => (true, &set[1..]),
                _ => (false, set),
            };
            let mut inside = false;
            let mut index = 0;
            while index < set.len() {
                if index + 2 < set.len() && set[index + 1] == '-' {
                    inside |= (set[index]..=set[index + 2]).contains(&c);
                    index += 3;
                } else {
                    inside |= set[index] == c;
                    index += 1;
                }
            }
            (inside != negated).then_some(end + 1)
        }
        literal => (literal == c).then_some(at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, expected: bool) {
        assert_eq!(glob_fits(pattern, name), expected, "{pattern} on {name}");
    }

    #[test]
    fn globs_match_whole_names() {
        check("*.csv", "leads.csv", true);
        check("*.csv", "leads.csv.gz", false);
        check("*Leads_*.csv", "PV Leads_2025.csv", true);
        check("lead?-[0-9].csv", "leads-7.csv", true);
        check("lead?-[!0-9].csv", "leads-7.csv", false);
        check("a*b*c", "a-b-b-c", true);
        check("", "", true);
        check("*", "", true);
    }

    #[test]
    fn a_folder_gives_its_exports_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("meta");
        fs::create_dir(&inner).unwrap();
        for name in
            ["b.csv", "a.JSONL", "~$b.csv", ".hidden.csv", "c.csv.part", "notes.pdf", "d.csv.gz"]
        {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::write(inner.join("e.tsv"), "x").unwrap();
        let argument = folder.path().to_string_lossy().into_owned();
        let (inputs, problems) = locate(&[argument.clone(), format!("{argument}/*.csv")]);
        let names: Vec<&str> =
            inputs.iter().filter_map(|input| input.name.rsplit('/').next()).collect();
        assert_eq!(names, ["a.JSONL", "b.csv", "d.csv.gz", "e.tsv"]);
        assert_eq!(problems, []);
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_read_in_a_folder_costs_the_rest_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("good.csv"), "x").unwrap();
        // Links that lead to themselves cannot be followed by anybody, whatever the permissions.
        for name in ["link.csv", "meta"] {
            std::os::unix::fs::symlink(name, folder.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink("nowhere.csv", folder.path().join("gone.csv")).unwrap();
        let (inputs, problems) = locate_folder(folder.path()).unwrap();
        assert_eq!(inputs, [InputPath::file(folder.path().join("good.csv"))]);
        let told: Vec<&str> =
            problems.iter().filter_map(|one| one.argument.rsplit('/').next()).collect();
        assert_eq!(told, ["link.csv", "meta"]);
        let argument = folder.path().to_string_lossy().into_owned();
        assert_eq!(locate(&[argument]), (inputs, problems));
    }

    #[test]
    fn a_folder_without_exports_is_told_from_one_that_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(locate_folder(folder.path()), Ok((Vec::new(), Vec::new())));
        let gone = folder.path().join("gone");
        let fault = locate_folder(&gone).unwrap_err();
        assert_eq!(fault.argument, gone.to_string_lossy());
        assert!(fault.message.starts_with("the folder cannot be read: "), "{}", fault.message);
    }

    #[test]
    fn what_is_no_input_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().to_string_lossy().into_owned();
        let (inputs, problems) =
            locate(&["nowhere.csv".into(), empty.clone(), format!("{empty}/*.csv")]);
        assert_eq!(inputs, []);
        let messages: Vec<String> =
            problems.iter().map(|problem| problem.message.replace(&empty, "DIR")).collect();
        assert_eq!(
            messages,
            [
                "there is no `nowhere.csv`",
                "the folder `DIR` holds no exports",
                "no file matches `DIR/*.csv`"
            ]
        );
    }
}
