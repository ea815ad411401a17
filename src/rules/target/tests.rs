use super::*;

fn mistakes(text: &str) -> Vec<String> {
    let sink = Sink::default();
    let file = RuleText { path: "rules/targets/x.toml".into(), text: text.into() };
    TargetCatalog::decode(&[file], &FieldCatalog::decode(None), &sink);
    sink.take()
        .into_iter()
        .map(|found| {
            let hint = found.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{}: {}{hint}", found.place.line(), found.message)
        })
        .collect()
}

const HEAD: &str = "[target]\nid = \"x\"\nname = \"X\"\nbecause = \"y\"\nfile = \"crm/x.csv\"\n";

#[track_caller]
fn check(rest: &str, expected: &[&str]) {
    assert_eq!(mistakes(&format!("{HEAD}{rest}")), expected, "{rest}");
}

#[test]
fn a_sound_target_has_no_mistakes() {
    check("required = [\"E\"]\n[[column]]\nheader = \"E\"\nfrom = [\"email\", \"phone\"]\n", &[]);
}

#[test]
fn mistakes_name_the_way_out() {
    check(
        "[[column]]\nheader = \"E\"\nfrom = \"emial\"\n",
        &["8: unknown field `emial` (did you mean `email`?)"],
    );
    check(
        "[[column]]\nheader = \"E\"\nfrom = \"sgment\"\n",
        &["8: unknown field `sgment` (did you mean `segment`?)"],
    );
    check(
        "required = [\"Emial\"]\n[[column]]\nheader = \"Email\"\nfrom = \"email\"\n",
        &["6: `required` names `Emial`, which is not among the columns (did you mean `Email`?)"],
    );
    check(
        "[[column]]\nheader = \"E\"\nfrom = \"email\"\n[[column]]\nheader = \"E\"\nconst = \"\"\n",
        &["10: header `E` stands twice, first in line 7 (rename or remove one of them)"],
    );
    check(
        "[[column]]\nheader = \"E\"\n",
        &["7: a column needs either `from` or `const` \
           (`from` names a field, `const` is shown in every row)"],
    );
    check(
        "[[column]]\nheader = \"E\"\nfrom = \"first-submitted-at\"\nformat = \"%Y-%!\"\n",
        &["9: `%Y-%!` is not a date format (for example `%Y-%m-%d` or `%d.%m.%Y %H:%M`)"],
    );
    check(
        "[[column]]\nheader = \"E\"\nfrom = \"email\"\nmax-lenght = 3\n",
        &["9: unknown key `max-lenght` (did you mean `max-length`?)"],
    );
}

#[test]
fn a_file_stays_inside_the_run_and_off_its_own_files() {
    let column = "[[column]]\nheader = \"E\"\nfrom = \"email\"\n";
    let with = |file: &str| mistakes(&format!("{HEAD}{column}").replace("crm/x.csv", file));
    assert_eq!(with("../x.csv").len(), 1);
    assert_eq!(with("/etc/x.csv").len(), 1);
    assert_eq!(with("run.json").len(), 1);
    assert_eq!(with("crm/y.csv").len(), 0);
}

#[test]
fn two_targets_do_not_share_an_id_or_a_file() {
    let sink = Sink::default();
    let text = format!("{HEAD}[[column]]\nheader = \"E\"\nfrom = \"email\"\n");
    let file = |path: &str, id: &str| RuleText {
        path: path.into(),
        text: text.replace("id = \"x\"", &format!("id = \"{id}\"")).into(),
    };
    let files = [file("a.toml", "a"), file("b.toml", "a"), file("c.toml", "c")];
    TargetCatalog::decode(&files, &FieldCatalog::decode(None), &sink);
    let found: Vec<String> = sink.take().into_iter().map(|found| found.message).collect();
    assert!(found.contains(&"target `a` exists already, in a.toml".to_owned()), "{found:?}");
    assert!(found.contains(&"`crm/x.csv` is already written by a.toml".to_owned()));
}

const EMAIL: &str = "[[column]]\nheader = \"E\"\nfrom = \"email\"\n";

#[test]
fn words_limits_and_consents_are_checked() {
    check(&format!("max-rows = 0\n{EMAIL}"), &["6: `max-rows` must be at least 1"]);
    check(
        &format!("only-with-consent = \"partner-share\"\n{EMAIL}"),
        &[
            "6: `partner-share` is no consent (write purpose and channel, such as partner-share/email)",
        ],
    );
    check(
        &format!("key = \"F\"\n{EMAIL}"),
        &["6: `key` names `F`, which is not among the columns (did you mean `E`?)"],
    );
    check(
        "[[column]]\nheader = \"E\"\nfrom = \"segment\"\nmap = { hot = \"Hott\" }\none-of = [\"Hot\"]\n",
        &["10: the target does not take `Hott` (did you mean `Hot`?)"],
    );
    check(
        "[[column]]\nheader = \"E\"\nfrom = \"consent-partner-share-fax\"\n",
        &["8: unknown field `consent-partner-share-fax` (fields stand in fields.toml)"],
    );
}

#[test]
fn conversions_and_their_files_fit_together() {
    let conversion =
        "[[conversion]]\nid = \"c\"\nevent = \"won\"\nname = \"Deal\"\nbecause = \"x\"\n";
    check(&format!("rows-of = \"conversions\"\n{conversion}{EMAIL}"), &[]);
    let apart = "`rows-of` and `[[conversion]]` do not fit together \
         (a file of conversions says by [[conversion]] what is told, and no other does)";
    check(&format!("{conversion}{EMAIL}"), &[&format!("2: {apart}")]);
    check(&format!("rows-of = \"conversions\"\n{EMAIL}"), &[&format!("2: {apart}")]);
    check(
        &format!("rows-of = \"conversions\"\n{conversion}value = 12.50\n{EMAIL}"),
        &[
            "8: a value needs a currency (write both; a currency alone is that of deals that name none)",
        ],
    );
    check(
        &format!(
            "rows-of = \"conversions\"\n{conversion}value = 12.50\ncurrency = \"zł\"\n{EMAIL}"
        ),
        &["13: `zł` is not a currency (three capital letters, such as PLN)"],
    );
    check(
        "[[column]]\nheader = \"E\"\nfrom = \"conversion-time\"\n",
        &["2: column `E` shows a conversion, and the rows are leads \
           (add rows-of = \"conversions\" to [target])"],
    );
}

#[test]
fn a_path_of_json_holds_a_value_or_others() {
    let column = |header: &str| format!("[[column]]\nheader = \"{header}\"\nfrom = \"email\"\n");
    let both = column("user") + &column("user.em[]");
    check(&both, &[]);
    check(
        &format!("format = \"jsonl\"\n{both}"),
        &["2: `user` cannot be a value and hold others (`user.em[]` stands inside it)"],
    );
}

#[test]
fn columns_can_be_those_of_another_target() {
    let sink = Sink::default();
    let file = |path: &str, text: String| RuleText { path: path.into(), text: text.into() };
    let own = format!("{HEAD}key = \"E\"\nrequired = \"E\"\n{EMAIL}");
    let other = |id: &str, rest: &str| {
        HEAD.replace("\"x\"", &format!("\"{id}\"")).replace("x.csv", &format!("{id}.csv")) + rest
    };
    let files = [
        file("a.toml", own),
        file("b.toml", other("b", "columns-of = \"x\"\n")),
        file("c.toml", other("c", "columns-of = \"y\"\n")),
    ];
    let catalog = TargetCatalog::decode(&files, &FieldCatalog::decode(None), &sink);
    let (x, b) = (catalog.get("x").unwrap(), catalog.get("b").unwrap());
    assert_eq!((&b.columns, &b.required, b.key), (&x.columns, &x.required, x.key));
    let found: Vec<String> = sink.take().into_iter().map(|found| found.message).collect();
    assert_eq!(found, ["`y` is no target whose columns can be had"]);
}

#[test]
fn the_workspace_switches_targets_on() {
    let sink = Sink::default();
    let text = |id: &str| RuleText {
        path: format!("{id}.toml").into(),
        text: (HEAD.replace("\"x\"", &format!("\"{id}\"")).replace("x.csv", &format!("{id}.csv"))
            + EMAIL)
            .into(),
    };
    let files = [text("a"), text("b")];
    let mut catalog = TargetCatalog::decode(&files, &FieldCatalog::decode(None), &sink);
    assert_eq!(catalog.on().count(), 2);
    let place = catalog.get("a").unwrap().place.clone();
    catalog.switch_on(&[("b".to_owned(), place.clone()), ("bb".to_owned(), place)], &sink);
    assert_eq!(catalog.on().map(|target| target.id.as_str()).collect::<Vec<_>>(), ["b"]);
    let found: Vec<String> = sink.take().into_iter().map(|found| found.message).collect();
    assert_eq!(found, ["there is no target `bb`"]);
}

#[test]
fn a_format_that_is_not_built_in_is_refused_where_it_is_asked_for() {
    let sink = Sink::default();
    let parquet = |id: &str, enabled: bool| RuleText {
        path: format!("{id}.toml").into(),
        text: format!(
            "{}format = \"parquet\"\nenabled = {enabled}\n{EMAIL}",
            HEAD.replace("\"x\"", &format!("\"{id}\"")).replace("x.csv", &format!("{id}.parquet"))
        )
        .into(),
    };
    let files = [parquet("a", false), parquet("b", true)];
    let catalog = TargetCatalog::decode(&files, &FieldCatalog::decode(None), &sink);
    catalog.check_formats(|_| true, &sink);
    assert_eq!(sink.take(), []);
    catalog.check_formats(|format| format != TargetFormat::Parquet, &sink);
    let found = sink.take();
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].message,
        "target `b` is of format `parquet`, which this build cannot write"
    );
    assert!(found[0].hint.as_ref().unwrap().contains("--features parquet"));
}

#[test]
fn a_file_whose_size_is_known_too_late_is_limited_by_rows() {
    for format in ["xlsx", "parquet"] {
        check(
            &format!("format = \"{format}\"\nmax-bytes = 1_000\n{EMAIL}"),
            &[&format!(
                "7: how large a file of format `{format}` gets is known too late (say `max-rows`)"
            )],
        );
    }
}
