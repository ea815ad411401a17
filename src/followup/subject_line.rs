//! The one line that says what to do.

use crate::model::field::{self, FieldValues};

/// Characters of a value that a subject shows.
const VALUE_CHARS_MAX: usize = 80;

/// Returns `template` with its placeholders filled; what a missing value leaves behind is tidied away.
pub(super) fn fill(template: &str, display_name: &str, values: &FieldValues) -> String {
    let mut text = String::with_capacity(template.len() + display_name.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((word, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        let value = match word {
            "name" => display_name,
            "company" => {
                values.get(field::COMPANY).filter(|company| *company != display_name).unwrap_or("")
            }
            "product" => values.get(field::PRODUCT).unwrap_or(""),
            _ => "",
        };
        text.extend(
            value.chars().take(VALUE_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }),
        );
        rest = after;
    }
    text.push_str(rest);
    tidy(&text)
}

/// Removes brackets around nothing, and punctuation that follows nothing.
fn tidy(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "()").collect();
    let mut text = words.join(" ");
    for (found, meant) in [(" ,", ","), (",,", ","), (", (", " ("), (" ?", "?"), (",?", "?")] {
        if text.contains(found) {
            text = text.replace(found, meant);
        }
    }
    text.trim_end_matches([',', ':', ' ', '–', '-']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, company: &str, product: &str, expected: &str) {
        let mut values = FieldValues::default();
        values.set(field::COMPANY, company);
        values.set(field::PRODUCT, product);
        assert_eq!(fill(template, "Ewa Łęcka", &values), expected, "{template}");
    }

    #[test]
    fn placeholders_are_filled() {
        let call = "Zadzwoń: {name}, {company} ({product})";
        check(call, "Firma Sp. z o.o.", "AI", "Zadzwoń: Ewa Łęcka, Firma Sp. z o.o. (AI)");
        check(call, "Firma", "", "Zadzwoń: Ewa Łęcka, Firma");
        check(call, "", "AI", "Zadzwoń: Ewa Łęcka (AI)");
        check(call, "", "", "Zadzwoń: Ewa Łęcka");
        check(call, "Ewa Łęcka", "", "Zadzwoń: Ewa Łęcka");
        check("Worth reading: {product}", "", "", "Worth reading");
    }

    #[test]
    fn a_value_cannot_break_the_line_or_name_a_placeholder() {
        check("{product}!", "", "a\r\nBcc: b@example.com", "a Bcc: b@example.com!");
        check("{product}", "Firma", "{company}", "{company}");
    }
}
