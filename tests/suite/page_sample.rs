//! A page with something in every place, its data written by a function, so that hostile data has the same shape.

use leadmill::model::run::NoticeCounts;
use leadmill::report::page::{
    Against, CampaignRow, ChainReason, ChainStep, DayFigures, DayRow, HotLead, LoadRow, OverdueRow,
    PageData, PageRun, QuarantineReason, ScoreSpan, SourceTotal, SpeedBucket, SpeedFigures, Tile,
    UndeliveredRow,
};
use leadmill::report::run_json::{AlertSummary, InputSummary, RowSummary};

/// Writes one piece of data; given is what a harmless one would be.
pub type Write<'a> = &'a dyn Fn(&str) -> String;

/// Returns data as it is.
pub fn harmless(text: &str) -> String {
    text.to_owned()
}

/// Returns the page.
pub fn page(write: Write<'_>) -> PageData {
    PageData {
        version: "0.1.0".to_owned(),
        rules_hash: write("9f2c4e0b7a1d"),
        as_of: "2026-11-22 06:00".to_owned(),
        today: "2026-11-22".to_owned(),
        last_day: "2026-11-21".to_owned(),
        first_day: "2026-10-26".to_owned(),
        alerts: vec![AlertSummary {
            id: "source-drop".to_owned(),
            key: write("source-drop/typeform"),
            message: write("typeform: 4 leads, 62 % below the 10.5 of the same weekday"),
        }],
        day_tiles: day_tiles(),
        now_tiles: now_tiles(),
        days: days(write),
        chain: chain(write),
        speed: speed(),
        scores: scores(),
        scored: 31_006,
        campaigns: campaigns(write),
        repeat_days: 30,
        load: load(write),
        overdue: overdue(write),
        overdue_total: 1_241,
        hot: hot(write),
        hot_total: 1_812,
        quarantine: vec![
            QuarantineReason {
                code: write("email-invalid"),
                rows: 1_200,
                message: write("`anna@` has no domain; correct it in quarantine/meta.csv"),
            },
            QuarantineReason {
                code: write("no-contact"),
                rows: 12,
                message: write("no e-mail address and no phone number"),
            },
        ],
        undelivered: vec![
            UndeliveredRow {
                to: write("hubspot"),
                waiting: 1_240,
                oldest_minutes: Some(1_830),
                failing_minutes: Some(1_815),
                last_code: write("http-503"),
                dead_letters: 3,
            },
            UndeliveredRow {
                to: write("salesforce-lead"),
                dead_letters: 17,
                ..UndeliveredRow::default()
            },
        ],
        run: Some(PageRun { id: write("2026-11-22-0001"), inputs: inputs(write) }),
    }
}

fn day_tiles() -> Vec<Tile> {
    let tile = |word, value, against| Tile { word, value, tone: "", against, of: None };
    vec![
        tile("tile-new-leads", 412, Some(Against::usual(412, 3_675, 8))),
        tile("tile-new-hot", 31, None),
        tile("tile-contacts", 96, Some(Against::usual(96, 1_280, 6))),
        tile("tile-meetings", 4, Some(Against::usual(4, 25, 8))),
        tile("tile-won", 0, Some(Against { days: 2, least: 3, ..Against::default() })),
    ]
}

fn now_tiles() -> Vec<Tile> {
    let tile = |word, value, tone, of| Tile { word, value, tone, against: None, of };
    vec![
        tile("tile-hot", 1_812, "hot", Some(31_006)),
        tile("tile-warm", 13_400, "warm", Some(31_006)),
        tile("tile-cold", 15_794, "cold", Some(31_006)),
        tile("tile-triage", 0, "", Some(31_006)),
        tile("tile-late", 1_241, "bad", Some(10_900)),
        tile("tile-quarantine", 1_212, "bad", None),
    ]
}

fn days(write: Write<'_>) -> DayFigures {
    let names = [
        "meta-lead-ads",
        "google-ads-webhook",
        "typeform",
        "ms-forms",
        "hubspot-forms",
        "elementor",
        "",
    ];
    let dates: Vec<String> = (26..=31)
        .map(|day| format!("2026-10-{day}"))
        .chain((1..=22).map(|day| format!("2026-11-{day:02}")))
        .collect();
    let count = |day: usize, source: usize| {
        let weekend = day % 7 >= 5;
        ((day * 37 + source * 53) % 61 + 20) as u64
            / (source as u64 + 1)
            / if weekend { 4 } else { 1 }
    };
    let days: Vec<DayRow> = dates
        .iter()
        .enumerate()
        .map(|(at, day)| {
            let counts: Vec<u64> = (0..names.len()).map(|source| count(at, source)).collect();
            DayRow {
                day: day.clone(),
                is_monday: at % 7 == 0,
                off: day == "2026-11-11",
                total: counts.iter().sum(),
                counts,
            }
        })
        .collect();
    let of = |source: usize| days.iter().map(|day| day.counts[source]).sum();
    let total = |(at, name): (usize, &&str)| SourceTotal {
        name: if name.is_empty() { String::new() } else { write(name) },
        total: of(at),
    };
    DayFigures {
        sources: names.iter().enumerate().map(total).collect(),
        total: days.iter().map(|day| day.total).sum(),
        most: 208,
        most_on: "2026-11-09".to_owned(),
        days,
    }
}

fn chain(write: Write<'_>) -> Vec<ChainStep> {
    let reason = |word, of: &str, rows| ChainReason { word, of: write(of), rows };
    let mut came = 12_480;
    [
        ("received", vec![reason("touches", "", 200), reason("no-records", "", 20)]),
        (
            "validated",
            vec![reason("quarantined", "email-invalid", 310), reason("held", "spam", 180)],
        ),
        ("deduplicated", vec![reason("joined", "", 2_010), reason("seen-before", "", 640)]),
        ("routed", vec![reason("nobodys", "nurture", 588), reason("triage", "", 12)]),
        ("followup-scheduled", vec![reason("nothing-allowed", "", 730)]),
        ("contacted", vec![reason("never-contacted", "", 2_804), reason("in-time", "", 96)]),
        ("meeting", vec![reason("no-meeting", "", 3_120), reason("lost", "", 640)]),
        ("won", vec![reason("undecided", "", 910), reason("lost", "", 77)]),
    ]
    .into_iter()
    .map(|(step, because)| {
        let left = because.iter().map(|reason| reason.rows).sum();
        let this = ChainStep { step, is_known: true, came, went: came - left, left, because };
        came -= left;
        this
    })
    .collect()
}

fn speed() -> SpeedFigures {
    let counts = [
        ("5m", 210),
        ("15m", 380),
        ("1h", 902),
        ("2h", 640),
        ("4h", 700),
        ("8h", 510),
        ("24h", 1_206),
        ("later", 733),
        ("never", 2_804),
        ("open", 96),
        ("unknown", 41),
    ];
    SpeedFigures {
        knows_activity: true,
        enquiries: counts.iter().map(|(_, enquiries)| enquiries).sum(),
        contacted: 5_281,
        median_minutes: Some(187),
        buckets: counts.map(|(word, enquiries)| SpeedBucket { word, enquiries }).to_vec(),
    }
}

fn scores() -> Vec<ScoreSpan> {
    (0..10)
        .map(|ten| ScoreSpan {
            from: ten * 10,
            to: if ten == 9 { 100 } else { ten * 10 + 9 },
            leads: 900 + (ten as u64 * 1_237) % 2_900,
            segment: ["cold", "warm", "hot"][(ten as usize / 4).min(2)].to_owned(),
        })
        .collect()
}

fn campaigns(write: Write<'_>) -> Vec<CampaignRow> {
    let row = |name: &str, kind, rows: u64, by_kind: [u64; 5]| CampaignRow {
        name: if name.is_empty() { String::new() } else { write(name) },
        kind,
        rows,
        duplicates: by_kind.iter().sum(),
        by_kind,
        is_small: rows < 30,
    };
    vec![
        row("jesien-2026-panele-fotowoltaiczne-slask", "named", 4_210, [310, 44, 201, 90, 12]),
        row("", "none", 3_002, [12, 20, 88, 310, 41]),
        row("Black Friday", "named", 21, [0, 1, 6, 0, 0]),
        row("", "rest", 880, [10, 2, 14, 21, 3]),
    ]
}

fn load(write: Write<'_>) -> Vec<LoadRow> {
    let row = |name: &str, kind, leads, hot, tasks_open, tasks_late| LoadRow {
        name: write(name),
        kind,
        leads,
        hot,
        tasks_open,
        tasks_late,
    };
    vec![
        row("Wychowanie leadów", "queue", 15_794, 0, 0, 0),
        row("Jan Handlowiec", "owner", 8_300, 1_020, 6_310, 1_204),
        row("Świętosława Brzęczyszczykiewicz-Nowakowska", "owner", 6_912, 792, 4_590, 37),
    ]
}

fn overdue(write: Write<'_>) -> Vec<OverdueRow> {
    (0..25)
        .map(|turn| OverdueRow {
            lead: write(&format!("Anna Łęcka {turn}")),
            lead_id: "LM-144GJ289144G".to_owned(),
            subject: write("Call back about the roof of the warehouse"),
            who: write("Jan Handlowiec"),
            segment: ["hot", "warm", "cold"][turn % 3].to_owned(),
            due: "2026-11-20 15:20".to_owned(),
            late_minutes: 2_320 - turn as i64 * 37,
        })
        .collect()
}

fn hot(write: Write<'_>) -> Vec<HotLead> {
    (0..22)
        .map(|turn| HotLead {
            lead_id: "LM-144GJ289144G".to_owned(),
            name: write(&format!("Bartłomiej Źdźbło {turn}")),
            score: 99 - turn,
            who: write("Jan Handlowiec"),
            reason: write("Read the pricing page twice this week; decides; asked for a quote"),
            next: if turn % 5 == 4 { String::new() } else { write("Call") },
            next_due: if turn % 5 == 4 { String::new() } else { "2026-11-23 09:00".to_owned() },
        })
        .collect()
}

fn inputs(write: Write<'_>) -> Vec<InputSummary> {
    let input = |name: &str, status, detail: Option<&str>| InputSummary {
        name: write(name),
        sha256: "00".to_owned(),
        source: write("meta-lead-ads"),
        encoding: write("UTF-16LE"),
        status,
        detail: detail.map(write),
        rows: RowSummary { read: 12_480, created: 9_120, merged: 2_010, ..RowSummary::default() },
        notices: NoticeCounts::new(),
        warnings: Vec::new(),
    };
    let long = "inbox/meta_leads_2026-11-21_bardzo-dluga-nazwa-pliku-eksportu.csv";
    vec![
        input(long, "imported", None),
        input("inbox/again.csv", "known", Some("imported by 2026-11-21-0001")),
        input("inbox/slow.csv", "postponed", Some("somebody is still writing this file")),
        input("inbox/cut.csv.gz", "refused", Some("the file ends in the middle")),
    ]
}
