//! How many deliveries a second `leadmill deliver` makes to a receiver that answers at once, beside a loop of bare
//! requests with the same library to the same receiver: `cargo bench --bench outbox [DELIVERIES]`.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

mod output;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Instant;

use output::print;

const DELIVERIES: usize = 5_000;
const THREADS: usize = 4;

fn main() {
    let asked = std::env::args().skip(1).find_map(|text| text.parse().ok());
    let deliveries: usize = asked.unwrap_or(DELIVERIES);
    let folder = tempfile::tempdir().unwrap();
    let port = receiver();
    let url = format!("http://127.0.0.1:{port}/hook");
    std::fs::create_dir_all(folder.path().join("inbox")).unwrap();
    std::fs::create_dir_all(folder.path().join("rules/requests")).unwrap();
    let row = |number| {
        format!("{number},2026-11-18T09:00:00Z,Osoba {number},osoba{number}@przyklad.pl\n")
    };
    let rows = (0..deliveries).map(row).collect::<Vec<_>>().concat();
    let header = "id,created_at,full_name,email\n";
    std::fs::write(folder.path().join("inbox/leads.csv"), header.to_owned() + &rows).unwrap();
    let shape = "[request]\nid = \"plain\"\nname = \"Plain\"\nbecause = \"x\"\nsource = \"x\"\n\
                 id-header = \"webhook-id\"\neach = '{{ row | tojson }}'\n";
    std::fs::write(folder.path().join("rules/requests/plain.toml"), shape).unwrap();
    let endpoint = format!(
        "[[endpoint]]\nid = \"hook\"\nkind = \"http\"\nrequest = \"plain\"\ntarget = \"leads-json\"\n\
         url = \"{url}\"\nbecause = \"x\"\nrate = 1000000\nconcurrency = {THREADS}\n"
    );
    std::fs::write(folder.path().join("rules/outbox.toml"), endpoint).unwrap();
    let leadmill = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadmill"));
        command.current_dir(folder.path()).args(args).args(["--as-of", "2026-11-20T19:00:00Z"]);
        let began = Instant::now();
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_some_and(|code| code == 0 || code == 3), "{error}");
        (began.elapsed().as_secs_f64(), String::from_utf8(output.stdout).unwrap())
    };
    leadmill(&["run", "--quiet"]);
    let (seconds, told) = leadmill(&["deliver", "--json"]);
    let told: serde_json::Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(told["endpoints"][0]["delivered"], deliveries, "{told}");
    let bare = bare(&url, deliveries);
    let rate = |seconds: f64| deliveries as f64 / seconds;
    print(&format!(
        "{deliveries} deliveries to a receiver that answers at once, {THREADS} at a time\n\
         leadmill deliver  {seconds:6.2} s  {:8.0} a second\n\
         bare ureq         {bare:6.2} s  {:8.0} a second",
        rate(seconds),
        rate(bare)
    ));
}

/// Sends as many requests of the same size over as many threads, and keeps nothing.
fn bare(url: &str, requests: usize) -> f64 {
    let agent = ureq::Agent::new_with_defaults();
    let body = "x".repeat(600);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..requests / THREADS {
                    agent.post(url).send(&body).unwrap().into_body().read_to_vec().unwrap();
                }
            });
        }
    });
    began.elapsed().as_secs_f64()
}

/// Answers every request at once.
fn receiver() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(&stream));
        }
    });
    port
}

fn serve(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut body = Vec::new();
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            let lower = line.to_lowercase();
            if let Some(text) = lower.strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
        }
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    }
}
