//! Measures how many submissions a second `leadmill receive` keeps and acknowledges, beside as many bare appends that
//! are brought to the disk one by one, which is what it would be without sharing trips to the disk.
//!
//! ```text
//! cargo bench --bench receive -- --submissions 2000 --rounds 3
//! ```
//!
//! The receiver is the program itself, on loopback; its clients are threads of this process, each on a connection of
//! its own, which sends the next submission when the last one was acknowledged. Machines carry other load, so read the
//! ratios to the reference of the same minutes; the table holds medians over the rounds.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use anyhow::{Context, ensure};
use clap::Parser;

#[expect(dead_code, reason = "other benchmarks use what this one does not")]
mod measure;
mod output;

use output::print;

/// Measures acknowledged submissions a second beside bare appends that are brought to the disk.
#[derive(Parser)]
struct Arguments {
    /// Submissions of each measurement
    #[arg(long, default_value_t = 2_000)]
    submissions: u64,
    /// Times each step is measured; the table shows the medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Folder for the workspaces, removed at the end
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"))]
    directory: PathBuf,
    /// Passed by `cargo bench`; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
}

const CONNECTIONS: [u64; 3] = [1, 8, 64];

const RULES: &str = "trusted-proxies = [\"127.0.0.1\"]\n[[form]]\nid = \"contact\"\npath = \"/contact\"\n\
source = \"generic-json\"\ncheck = \"none\"\nper-minute = 1000000\nper-address-per-minute = 1000000\nbecause = \"b\"\n";

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let scratch = tempfile::Builder::new()
        .prefix("receive-")
        .tempdir_in(&arguments.directory)
        .with_context(|| format!("cannot create a folder in {}", arguments.directory.display()))?;
    let mut reference = Vec::new();
    let mut received = vec![Vec::new(); CONNECTIONS.len()];
    for round in 0..arguments.rounds {
        let path = scratch.path().join(format!("bare-{round}"));
        reference.push(append_one_by_one(&path, arguments.submissions)?);
        for (connections, rates) in CONNECTIONS.into_iter().zip(&mut received) {
            let folder = scratch.path().join(format!("{round}-{connections}"));
            rates.push(receive(&folder, arguments.submissions, connections)?);
        }
    }
    print(&table(&arguments, &mut reference, &mut received)?);
    Ok(())
}

/// Returns how many lines a second are appended when each is brought to the disk by itself.
fn append_one_by_one(path: &Path, lines: u64) -> anyhow::Result<f64> {
    let mut file = File::create(path)?;
    let began = Instant::now();
    for number in 0..lines {
        let line = format!(
            "{{\"leadmill\":{{\"receipt\":\"{number:032}\",\"at-ms\":1}},{}\n",
            &body(number)[1..]
        );
        file.write_all(line.as_bytes())?;
        file.sync_data()?;
    }
    Ok(lines as f64 / began.elapsed().as_secs_f64())
}

fn body(number: u64) -> String {
    format!(
        "{{\"full_name\":\"Anna Wzorcowa\",\"email\":\"p{number}@example.com\",\"phone\":\"+48600000101\",\
         \"company\":\"Przykład sp. z o.o.\",\"message\":\"Proszę o wycenę dla {number} osób\",\
         \"marketing_consent\":\"yes\",\"page_url\":\"https://www.przyklad.pl/kontakt?utm_source=google\"}}"
    )
}

/// Returns how many submissions a second a receiver acknowledges on so many connections.
fn receive(folder: &Path, submissions: u64, connections: u64) -> anyhow::Result<f64> {
    fs::create_dir_all(folder.join("rules"))?;
    fs::write(folder.join("rules/receive.toml"), RULES)?;
    let mut server = Server::start(folder)?;
    let next = AtomicU64::new(0);
    let began = Instant::now();
    thread::scope(|scope| -> anyhow::Result<()> {
        let clients: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| send_all(server.address, &next, submissions)))
            .collect();
        for client in clients {
            client.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        Ok(())
    })?;
    let rate = submissions as f64 / began.elapsed().as_secs_f64();
    server.child.kill()?;
    server.child.wait()?;
    let mut kept = 0;
    for file in fs::read_dir(folder.join("inbox/received"))? {
        kept += fs::read_to_string(file?.path())?.lines().count() as u64;
    }
    ensure!(kept == submissions, "{kept} of {submissions} submissions were kept");
    Ok(rate)
}

fn send_all(address: SocketAddr, next: &AtomicU64, submissions: u64) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answer = [0; 1_024];
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= submissions {
            return Ok(());
        }
        let body = body(number);
        let request = format!(
            "POST /contact HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut bytes = 0;
        while !answer[..bytes].ends_with(b"}\n") {
            let read = stream.read(&mut answer[bytes..])?;
            ensure!(read > 0, "the receiver ended a connection");
            bytes += read;
        }
        ensure!(
            answer.starts_with(b"HTTP/1.1 200 "),
            "{}",
            String::from_utf8_lossy(&answer[..bytes])
        );
    }
}

/// A receiver that is up, until it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_leadmill"))
            .args(["receive", "--listen", "127.0.0.1:0", "--workspace"])
            .arg(folder)
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the receiver")?;
        let mut stderr = BufReader::new(child.stderr.take().context("no stderr")?);
        let mut said = String::new();
        while !said.contains("listening on http://") {
            said.clear();
            ensure!(stderr.read_line(&mut said)? > 0, "the receiver ended");
        }
        let address = said.split("http://").nth(1).and_then(|rest| rest.split(' ').next());
        let address = address.context("no address")?.parse()?;
        // Its log is read, as a service manager would do.
        thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Ok(Self { child, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

fn table(
    arguments: &Arguments,
    reference: &mut [f64],
    received: &mut [Vec<f64>],
) -> anyhow::Result<String> {
    let base = median(reference);
    let mut text = String::new();
    writeln!(text, "| step | submissions/s | ÷ reference |")?;
    writeln!(text, "|---|---:|---:|")?;
    writeln!(text, "| append and fdatasync, one by one (reference) | {base:.0} | 1.0 |")?;
    for (connections, rates) in CONNECTIONS.iter().zip(received) {
        let rate = median(rates);
        let noun = if *connections == 1 { "connection" } else { "connections" };
        writeln!(text, "| `receive`, {connections} {noun} | {rate:.0} | {:.1} |", rate / base)?;
    }
    writeln!(
        text,
        "\n{} submissions each, medians of {} rounds, each step in turn. {}.",
        arguments.submissions,
        arguments.rounds,
        measure::machine()
    )?;
    Ok(text)
}
