//! How points lie in a row: JSON that any SQLite tool can read.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::codec;
use crate::model::decision::{Basis, Contribution, Group, ModelScores};
use crate::rules::scoring::CAP_ID;

/// Points that a rule gave, under the name that the rule had then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenPoints {
    /// Rule's id.
    pub rule: String,
    /// Group the points belong to.
    pub group: Group,
    /// Points, possibly negative.
    pub points: i32,
    /// What they were given for.
    pub basis: Basis,
}

/// Writes contributions as `[[rule, group, points], …]`; `rule_id` names the rule behind each.
///
/// Behind the points stand touches and the points of each, or the field that is missing; of a cap, which
/// kind it is and where it lies.
pub fn write_contributions<'a>(
    contributions: &[Contribution],
    rule_id: impl Fn(&Contribution) -> &'a str,
) -> Result<String> {
    let list: Vec<Value> = contributions
        .iter()
        .map(|one| {
            let (rule, group, points) = (rule_id(one), one.group.word(), one.points);
            match &one.basis {
                Basis::Met => json!([rule, group, points]),
                Basis::Repeated { times, each } => json!([rule, group, points, times, each]),
                Basis::Missing(field) => json!([rule, group, points, **field]),
                Basis::GroupLimit(cap) => json!([rule, group, points, "group", cap]),
                Basis::TotalLimit(end) => json!([rule, group, points, "total", end]),
            }
        })
        .collect();
    Ok(serde_json::to_string(&list)?)
}

/// Reads what [`write_contributions`] wrote.
pub fn read_contributions(text: &str) -> Result<Vec<GivenPoints>> {
    let list: Vec<Vec<Value>> = serde_json::from_str(text)?;
    list.iter()
        .map(|one| {
            read_one(one).with_context(|| format!("stored points are not readable: {text:.80}"))
        })
        .collect()
}

fn read_one(one: &[Value]) -> Result<GivenPoints> {
    let [Value::String(rule), Value::String(group), points, behind @ ..] = one else {
        bail!("a rule, a group and points were expected")
    };
    let whole = |value: &Value| value.as_i64().map(|number| number as i32);
    let basis = match behind {
        [] => Basis::Met,
        [Value::String(kind), end] if rule == CAP_ID => {
            let end = whole(end).context("a cap has points")?;
            if kind == "group" { Basis::GroupLimit(end) } else { Basis::TotalLimit(end) }
        }
        [Value::String(field)] => Basis::Missing(field.as_str().into()),
        [times, each] => Basis::Repeated {
            times: whole(times).context("times is a number")? as u32,
            each: whole(each).context("points are a number")?,
        },
        _ => bail!("there is more behind the points than expected"),
    };
    Ok(GivenPoints {
        rule: rule.clone(),
        group: codec::word(Group::ALL, group)?,
        points: whole(points).context("points are a number")?,
        basis,
    })
}

/// Writes what the models say as `[[id, total], …]`, the one that decided first; `None` without models.
pub fn write_models(models: &ModelScores) -> Result<Option<String>> {
    if models.totals.is_empty() {
        return Ok(None);
    }
    let primary = models.totals.get(models.primary);
    let others = models.totals.iter().enumerate().filter(|(at, _)| *at != models.primary);
    let list: Vec<(&str, i32)> = primary
        .into_iter()
        .chain(others.map(|(_, one)| one))
        .map(|(id, total)| (&**id, *total))
        .collect();
    Ok(Some(serde_json::to_string(&list)?))
}

/// Reads what [`write_models`] wrote.
pub fn read_models(text: Option<&str>) -> Result<ModelScores> {
    let Some(text) = text else { return Ok(ModelScores::default()) };
    let totals: Vec<(String, i32)> = serde_json::from_str(text)
        .with_context(|| format!("stored model scores are not readable: {text:.80}"))?;
    let totals = totals.into_iter().map(|(id, total)| (Arc::from(id), total)).collect();
    Ok(ModelScores { totals, primary: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        #[track_caller]
        fn check(rule: u16, id: &str, basis: Basis, expected: &str) {
            let given = Contribution { rule, group: Group::Fit, points: -3, basis };
            let text = write_contributions(std::slice::from_ref(&given), |_| id).unwrap();
            assert_eq!(text, expected);
            let read = read_contributions(&text).unwrap().remove(0);
            assert_eq!((read.rule.as_str(), read.group, read.points), (id, Group::Fit, -3));
            assert_eq!(read.basis, given.basis);
        }
        check(0, "a", Basis::Met, r#"[["a","fit",-3]]"#);
        check(0, "a", Basis::Repeated { times: 3, each: -1 }, r#"[["a","fit",-3,3,-1]]"#);
        check(0, "a", Basis::Missing("employees".into()), r#"[["a","fit",-3,"employees"]]"#);
        check(u16::MAX, CAP_ID, Basis::GroupLimit(60), r#"[["cap","fit",-3,"group",60]]"#);
        check(u16::MAX, CAP_ID, Basis::TotalLimit(100), r#"[["cap","fit",-3,"total",100]]"#);
        assert!(read_contributions(r#"[["a","fit"]]"#).is_err());
    }

    #[test]
    fn the_model_that_decided_stands_first() {
        assert_eq!(write_models(&ModelScores::default()).unwrap(), None);
        let models =
            ModelScores { totals: vec![("crm".into(), 12), ("ai".into(), 70)], primary: 1 };
        let text = write_models(&models).unwrap().unwrap();
        assert_eq!(text, r#"[["ai",70],["crm",12]]"#);
        let read = read_models(Some(&text)).unwrap();
        assert_eq!((read.primary_id(), read.total("crm")), (Some("ai"), Some(12)));
    }
}
