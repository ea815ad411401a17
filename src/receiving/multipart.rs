//! Reads `multipart/form-data`, which scripts send who post a form as it is (`fetch(url, { body: new FormData(form) })`).
//!
//! RFC 7578, without files: a body is held in memory whole and is small, so what a library does in streams is a search
//! for the boundary here.

use memchr::memmem;

use super::body::BodyFault;

/// Parts of a body at most.
const PARTS_MAX: usize = 4_096;

/// Returns the fields of `body`, whose parts `boundary` separates.
///
/// # Errors
/// When it is cut or no form, holds a file, or a field that is not UTF-8.
pub(super) fn fields(body: &[u8], boundary: &str) -> Result<Vec<(String, String)>, BodyFault> {
    let broken = BodyFault::Broken("the parts of the form cannot be told apart");
    // The first boundary may stand at the very start; with a line end before the body it is like all others.
    let body = [b"\r\n", body].concat();
    let delimiter = format!("\r\n--{boundary}");
    let mut found = Vec::new();
    let mut rest = match memmem::find(&body, delimiter.as_bytes()) {
        Some(at) => &body[at + delimiter.len()..],
        None => return Err(broken),
    };
    while !rest.starts_with(b"--") {
        let start = memmem::find(rest, b"\r\n").ok_or(broken)? + 2;
        let end = memmem::find(&rest[start - 2..], delimiter.as_bytes()).ok_or(broken)?;
        let part = &rest[start..(start - 2 + end).max(start)];
        found.push(field(part)?);
        if found.len() > PARTS_MAX {
            return Err(broken);
        }
        rest = &rest[start - 2 + end + delimiter.len()..];
    }
    Ok(found)
}

/// Reads one part: its headers, a blank line, the value.
fn field(part: &[u8]) -> Result<(String, String), BodyFault> {
    let broken = BodyFault::Broken("a part of the form has no name");
    let end = memmem::find(part, b"\r\n\r\n").ok_or(broken)?;
    let head = std::str::from_utf8(&part[..end]).map_err(|_| BodyFault::NotUtf8)?;
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, disposition) = lines
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))
        .ok_or(broken)?;
    if parameter(disposition, "filename").is_some_and(|name| !name.is_empty()) {
        return Err(BodyFault::HasFiles);
    }
    let name = parameter(disposition, "name").ok_or(broken)?;
    let value = std::str::from_utf8(&part[end + 4..]).map_err(|_| BodyFault::NotUtf8)?;
    Ok((name, value.to_owned()))
}

/// Returns the parameter called `name` of a header's value; browsers write `"` in it as `%22`.
pub(super) fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value;
    while let Some((_, behind)) = rest.split_once(';') {
        let (key, text) = behind.split_once('=')?;
        let text = text.trim_start();
        let (found, after) = match text.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => text.split_at(text.find(';').unwrap_or(text.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            let plain = found.trim().replace("%22", "\"").replace("%0D%0A", "\n");
            return Some(plain);
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<&[(&str, &str)], BodyFault>) {
        let found = fields(body.replace('\n', "\r\n").as_bytes(), "XX");
        let expected = expected.map(|pairs| {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(own).collect::<Vec<_>>()
        });
        assert_eq!(found, expected, "{body}");
    }

    fn part(disposition: &str, value: &str) -> String {
        format!("--XX\nContent-Disposition: form-data; {disposition}\n\n{value}\n")
    }

    #[test]
    fn fields_are_read() {
        let body =
            part("name=\"email\"", "a@b.pl") + &part("name=imię", "Łucja\nNowak") + "--XX--\n";
        check(&body, Ok(&[("email", "a@b.pl"), ("imię", "Łucja\r\nNowak")]));
        check(&(part("name=\"a%22b\"", "") + "--XX--"), Ok(&[("a\"b", "")]));
        check(&(part("name=\"a;b\"; x=y", "--X") + "--XX--"), Ok(&[("a;b", "--X")]));
        check(&(part("name=\"cv\"; filename=\"\"", "") + "--XX--"), Ok(&[("cv", "")]));
        check("--XX--\n", Ok(&[]));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        check(
            &(part("name=\"cv\"; filename=\"cv.pdf\"", "%PDF") + "--XX--"),
            Err(BodyFault::HasFiles),
        );
        let cut = BodyFault::Broken("the parts of the form cannot be told apart");
        check("", Err(cut));
        check(&part("name=\"a\"", "1"), Err(cut));
        check("--XX", Err(cut));
        let nameless = BodyFault::Broken("a part of the form has no name");
        check("--XX\nContent-Disposition: form-data\n\nx\n--XX--", Err(nameless));
        check("--XX\n\nx\n--XX--", Err(nameless));
        check("--XX\nx\n--XX--", Err(nameless));
        let bytes = b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\xB3\r\n--XX--";
        assert_eq!(fields(bytes, "XX"), Err(BodyFault::NotUtf8));
    }
}
