//! The page in a real browser: headless Chromium, where there is one.
//!
//! `LEADMILL_BROWSER` names the program; with it these tests must run. Without it they look for Chromium in `PATH` and
//! pass, saying so, where there is none. `LEADMILL_SHOTS=DIR` keeps the pictures.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use leadmill::model::language::Language;
use leadmill::report::html::render;

use super::page_sample::{harmless, page};
use super::workspace::Workspace;

/// Pictures are so high: the upper half of the page on a desk, a third of it on a phone.
const HEIGHT: u32 = 2_400;

fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("LEADMILL_BROWSER").map(PathBuf::from) {
        assert!(named.is_file(), "LEADMILL_BROWSER: there is no {}", named.display());
        return Some(named);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| {
            ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name))
        })
        .find(|program| program.is_file());
    if found.is_none() {
        eprintln!("no Chromium here: the page was not looked at; LEADMILL_BROWSER names one");
    }
    found
}

/// What the browser made of a page.
struct Seen {
    width: usize,
    /// Red, green and blue of every pixel.
    pixels: Vec<[u8; 3]>,
    dom: String,
    pdf: Vec<u8>,
    /// All that the browser's network had to do.
    net_log: String,
}

/// Opens `html` in a window so wide and looks at it. Windows have a least width, but what stands in a frame has not:
/// `is_framed` puts the page into one, which tells the window what the page's script measured.
fn look(program: &Path, html: &str, width: u32, is_dark: bool, is_framed: bool) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("page.html"), html).unwrap();
    let frame = format!(
        "<!doctype html><meta charset=utf-8><title>empty</title><body style='margin: 0'><script>\
         addEventListener('message', told => document.title = told.data)</script>\
         <iframe src=page.html style='border: 0; display: block; width: {width}px; height: {HEIGHT}px'></iframe>"
    );
    fs::write(file("frame.html"), frame).unwrap();
    let option = |name: &str, path: &str| format!("--{name}={}", file(path).display());
    let mut command = Command::new(program);
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--force-device-scale-factor=1",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-extensions",
        "--disable-sync",
        // Nobody listens there, so nothing could be fetched; what was tried is in the log.
        "--proxy-server=127.0.0.1:9",
        "--dump-dom",
        &option("user-data-dir", "profile"),
        &option("log-net-log", "net.json"),
        &option("screenshot", "page.png"),
        &option("print-to-pdf", "page.pdf"),
        &format!("--window-size={width},{HEIGHT}"),
        &format!("--blink-settings=preferredColorScheme={}", i32::from(!is_dark)),
    ]);
    let opened = if is_framed { "frame.html" } else { "page.html" };
    command.arg(format!("file://{}", file(opened).display()));
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (width, pixels) = decode(&file("page.png"));
    Seen {
        width,
        pixels,
        dom: String::from_utf8(output.stdout).unwrap(),
        pdf: fs::read(file("page.pdf")).unwrap(),
        net_log: fs::read_to_string(file("net.json")).unwrap(),
    }
}

fn decode(path: &Path) -> (usize, Vec<[u8; 3]>) {
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(frame.bit_depth, png::BitDepth::Eight);
    let samples = frame.color_type.samples();
    assert!(samples >= 3, "{:?}", frame.color_type);
    let pixels = bytes[..frame.buffer_size()].chunks(samples).map(|one| [one[0], one[1], one[2]]);
    (frame.width as usize, pixels.collect())
}

/// Returns the page with a script that tells the window around it how wide things are; scripts are allowed in this
/// copy.
fn measuring(html: &str) -> String {
    let (before, after) = html.split_once("<meta http-equiv").unwrap();
    let after = after.split_once('>').unwrap().1;
    let script = "<script>addEventListener('load', () => {\
        const root = document.documentElement, wide = innerWidth;\
        const outside = [...document.body.querySelectorAll('*')].filter(one => !one.closest('.scroll')\
            && one.getClientRects().length && one.getBoundingClientRect().right > wide + 0.5);\
        const cut = [...document.querySelectorAll('.tiles li, h1, h2, .legend')]\
            .filter(one => one.scrollWidth > one.clientWidth + 1);\
        for (const text of document.querySelectorAll('svg.chart text')) {\
            const [inner, outer] = [text, text.ownerSVGElement].map(one => one.getBoundingClientRect());\
            if (inner.left < outer.left - 1 || inner.right > outer.right + 1) cut.push(text);\
        }\
        const small = [...document.querySelectorAll('svg.chart text')].filter(one => one.getClientRects().length)\
            .map(one => one.getBoundingClientRect().height);\
        parent.postMessage(`measured ${wide} ${root.scrollWidth} ${outside.length} ${cut.length} ${Math.min(...small)}`, '*');\
    });</script>";
    format!("{before}{}", after.replacen("</body>", &format!("{script}</body>"), 1))
}

/// Returns what the script wrote: width of the window and of the page, things outside of it, things that are cut, and
/// the height of the smallest letters in a chart.
fn measured(dom: &str) -> [f64; 5] {
    let (_, told) = dom.split_once("<title>measured ").expect("the script ran");
    let told: Vec<f64> =
        told.split_once('<').unwrap().0.split(' ').map(|one| one.parse().unwrap()).collect();
    told.try_into().unwrap()
}

/// Fails where a picture is empty in some part, or has not the colors of its scheme.
#[track_caller]
fn check_picture(seen: &Seen, is_dark: bool) {
    let height = seen.pixels.len() / seen.width;
    assert_eq!(height, HEIGHT as usize);
    let ground = seen.pixels[0];
    let is_ground_dark = ground.iter().all(|part| *part < 64);
    assert_eq!(is_ground_dark, is_dark, "the page's ground is {ground:?}");
    // Every band of the page has something in it: letters of many shades and more than one surface.
    for (band, pixels) in seen.pixels.chunks(seen.width * 400).enumerate() {
        let mut colors: Vec<&[u8; 3]> = pixels.iter().collect();
        colors.sort_unstable();
        let most = colors.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap();
        let share = most as f64 / pixels.len() as f64;
        assert!(share < 0.97, "band {band}: {:.1} % are of one color", share * 100.0);
        colors.dedup();
        assert!(colors.len() > 40, "band {band}: only {} colors", colors.len());
    }
}

/// Returns of every page of a PDF how many texts and shapes it draws.
fn drawn(pdf: &[u8]) -> Vec<usize> {
    let find = |from: usize, what: &str| {
        pdf[from..]
            .windows(what.len())
            .position(|bytes| bytes == what.as_bytes())
            .map(|at| from + at)
    };
    let number_after = |at: usize, what: &str| -> usize {
        let from = find(at, what).unwrap() + what.len();
        let digits = pdf[from..].iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
    };
    let (mut pages, mut at) = (Vec::new(), 0);
    while let Some(found) = find(at, "/Type /Page\n") {
        at = found + 1;
        let object = find(0, &format!("\n{} 0 obj", number_after(found, "/Contents "))).unwrap();
        let stream = find(object, "stream\n").unwrap() + "stream\n".len();
        let length = number_after(object, "/Length ");
        let mut text = Vec::new();
        let mut inflated = flate2::read::ZlibDecoder::new(&pdf[stream..stream + length]);
        inflated.read_to_end(&mut text).unwrap();
        let is_mark = |word: &&[u8]| [&b"Tj"[..], b"TJ", b"re", b"f"].contains(word);
        pages.push(text.split(u8::is_ascii_whitespace).filter(is_mark).count());
    }
    pages
}

fn keep(name: &str, html: &str, seen: &Seen) {
    let Some(folder) = std::env::var_os("LEADMILL_SHOTS").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{name}.html")), html).unwrap();
    fs::write(folder.join(format!("{name}.pdf")), &seen.pdf).unwrap();
    let file = fs::File::create(folder.join(format!("{name}.png"))).unwrap();
    let mut encoder = png::Encoder::new(file, seen.width as u32, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(seen.pixels.as_flattened()).unwrap();
}

#[track_caller]
fn check(program: &Path, name: &str, html: &str, width: u32, is_dark: bool) {
    let seen = look(program, &measuring(html), width, is_dark, true);
    keep(&format!("{name}-{width}-{}", if is_dark { "dark" } else { "light" }), html, &seen);
    assert_eq!(seen.width, width as usize, "{name}");
    check_picture(&seen, is_dark);
    let [window, whole, outside, cut, letters] = measured(&seen.dom);
    assert_eq!((window, whole), (f64::from(width), f64::from(width)), "{name}: the page is wider");
    assert_eq!((outside, cut), (0.0, 0.0), "{name}: something sticks out, or is cut");
    assert!(letters > 9.0, "{name}: letters of a chart are {letters} high");
}

#[track_caller]
fn check_paper(program: &Path, name: &str, html: &str) {
    let seen = look(program, html, 1_280, true, false);
    keep(&format!("{name}-paper"), html, &seen);
    let drawn = drawn(&seen.pdf);
    assert!((2..40).contains(&drawn.len()), "{name}: {} pages of paper", drawn.len());
    assert!(drawn.iter().all(|marks| *marks > 10), "{name}: an empty page of paper: {drawn:?}");
}

#[test]
fn a_full_page_looks_right_on_a_desk_and_on_a_phone() {
    let Some(program) = browser() else { return };
    let polish = render(&page(&harmless), Language::Polish).unwrap();
    check(&program, "full-pl", &polish, 1_280, false);
    check(&program, "full-pl", &polish, 390, true);
    let english = render(&page(&harmless), Language::English).unwrap();
    check(&program, "full-en", &english, 1_280, true);
    check(&program, "full-en", &english, 390, false);
    // Where two columns become one, and the wide charts are at their smallest.
    check(&program, "full-pl", &polish, 780, false);
    check_paper(&program, "full-pl", &polish);
}

#[test]
fn the_page_of_the_fixtures_looks_right_on_a_desk_and_on_a_phone() {
    let Some(program) = browser() else { return };
    let workspace = Workspace::fixtures_run();
    let english = workspace.latest("report.html");
    check(&program, "fixtures-en", &english, 1_280, false);
    check(&program, "fixtures-en", &english, 390, true);
    let polish = workspace.ok(&["report", "html", "--lang", "pl"]).stdout;
    check(&program, "fixtures-pl", &polish, 1_280, true);
    check(&program, "fixtures-pl", &polish, 390, false);
}

#[test]
fn whatever_people_type_the_browser_fetches_and_runs_nothing() {
    let Some(program) = browser() else { return };
    let evil = |text: &str| {
        format!(
            "{text}\"><img src=http://evil.example/i.png><script>document.title='ran'</script><svg onload=x>"
        )
    };
    let html = render(&page(&evil), Language::English).unwrap();
    let seen = look(&program, &html, 390, false, false);
    assert!(!seen.net_log.contains("evil.example"), "the browser fetched something");
    assert!(seen.dom.contains("<title>Leads as of"), "a script ran");
    assert!(seen.dom.contains("&lt;script&gt;"), "the page shows none of it: the test is blind");
    // A page that does fetch is noticed.
    let fetching = "<!doctype html><title>x</title><img src=http://evil.example/i.png><p>x";
    assert!(look(&program, fetching, 390, false, false).net_log.contains("evil.example"));
}
