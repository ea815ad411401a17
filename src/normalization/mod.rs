//! stub
pub mod answer;
pub mod attribution;
pub mod company;
pub mod country;
pub mod device;
pub mod email;
pub mod moment;
mod moment_words;
pub mod number;
pub mod person_name;
pub mod phone;
pub mod spam;
pub mod text;
pub mod web;

/// Something worth saying about one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Stable code, as in [`crate::model::outcome::Notice`].
    pub code: &'static str,
    /// What was done or found, in one sentence.
    pub message: String,
}

impl Remark {
    fn new(code: &'static str, message: String) -> Self {
        Self { code, message }
    }
}
