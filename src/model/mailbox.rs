//! When two e-mail addresses are one mailbox.

/// Returns what stands for the mailbox when addresses are compared: all lower case; at Gmail without
/// dots and `+tag`, and googlemail.com is gmail.com.
///
/// Only Gmail is known to ignore dots and to deliver every `+tag` to the same person; other providers
/// do not promise either, so their addresses are only lowered. The address that mail goes to is never
/// rewritten.
pub fn mailbox_key(address: &str) -> String {
    let lower = address.to_lowercase();
    let Some((local, domain)) = lower.rsplit_once('@') else { return lower };
    if domain != "gmail.com" && domain != "googlemail.com" {
        return lower;
    }
    let untagged = local.split('+').next().unwrap_or(local);
    let mailbox: String = untagged.chars().filter(|c| *c != '.').collect();
    if mailbox.is_empty() { lower } else { format!("{mailbox}@gmail.com") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: &str) {
        assert_eq!(mailbox_key(address), expected, "{address}");
    }

    #[test]
    fn only_gmail_ignores_dots_and_tags() {
        check("A.n.n.a+promo@GMail.com", "anna@gmail.com");
        check("anna@googlemail.com", "anna@gmail.com");
        check("+promo@gmail.com", "+promo@gmail.com");
        check("A.Lecka+x@Przyklad.pl", "a.lecka+x@przyklad.pl");
    }
}
