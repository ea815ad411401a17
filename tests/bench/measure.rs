//! What a child process used, read from `/proc` without unsafe code.

use std::{
    ffi::OsStr,
    fmt, fs,
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;

/// What one run of a program used.
#[derive(Clone, Copy)]
pub struct Usage {
    pub wall_seconds: f64,
    /// User and system time together, of the program and its own children.
    pub cpu_seconds: f64,
    /// The largest resident set seen; 0 when the program ended before the first look.
    pub peak_megabytes: f64,
}

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wall_seconds, cpu_seconds, peak_megabytes } = self;
        write!(
            formatter,
            "{wall_seconds:.2} s wall, {cpu_seconds:.2} s CPU, {peak_megabytes:.0} MB"
        )
    }
}

/// Returns the median of each measure on its own; of an even number of runs, the mean of the middle two.
///
/// # Panics
/// If there are no runs.
pub fn median(runs: &[Usage]) -> Usage {
    let of = |measure: fn(&Usage) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(measure).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let is_odd = values.len() % 2 == 1;
        if is_odd { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
    };
    Usage {
        wall_seconds: of(|usage| usage.wall_seconds),
        cpu_seconds: of(|usage| usage.cpu_seconds),
        peak_megabytes: of(|usage| usage.peak_megabytes),
    }
}

/// Returns the number of cores this process may use, the processor and the kernel.
pub fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split(": ").nth(1));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores of {}, Linux {}", model.unwrap_or("an unnamed processor"), kernel.trim())
}

/// How a program ended.
pub struct Exit {
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    pub stderr: String,
}

impl Exit {
    /// Returns the end in words.
    pub fn outcome(&self) -> String {
        match self.code {
            Some(code) => format!("exited with {code}"),
            None => "was killed by a signal".to_owned(),
        }
    }
}

/// How often the resident set is looked at. The kernel keeps its maximum, so only the last moments can be missed.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Runs a program to its end and measures it. Nothing else may be started by this process meanwhile.
pub fn run(program: &Path, arguments: &[&OsStr]) -> anyhow::Result<(Usage, Exit)> {
    let ticks_per_second = clock_ticks_per_second();
    let ticks_before = children_ticks()?;
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let mut pipe = child.stderr.take().context("the child has no stderr")?;
    // Read beside the program, or a talkative one would block on a full pipe.
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let status_path = format!("/proc/{}/status", child.id());
    let mut peak_kilobytes = 0;
    let status = loop {
        peak_kilobytes = peak_kilobytes.max(peak_resident_kilobytes(&status_path));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(LOOK_EVERY);
    };
    let wall_seconds = started.elapsed().as_secs_f64();
    // The kernel adds a child's times to its parent's when the parent has waited for it.
    let cpu_seconds = (children_ticks()? - ticks_before) as f64 / ticks_per_second;
    let stderr = reader.join().unwrap_or_default();
    let usage =
        Usage { wall_seconds, cpu_seconds, peak_megabytes: f64::from(peak_kilobytes) / 1024.0 };
    Ok((usage, Exit { code: status.code(), stderr }))
}

/// Returns the `VmHWM` of a process, 0 when it has ended.
fn peak_resident_kilobytes(status_path: &str) -> u32 {
    let status = fs::read_to_string(status_path).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// Returns user and system time of all children waited for, in clock ticks: `cutime` and `cstime` of proc(5).
fn children_ticks() -> anyhow::Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat")
        .context("cannot read /proc/self/stat: this benchmark needs Linux")?;
    // The second field is the program's name in parentheses and may hold spaces.
    let (_, rest) = stat.rsplit_once(')').context("/proc/self/stat has no program name")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // Fields 16 and 17, counted from 1; `rest` begins with field 3.
    let ticks = |number: usize| fields.get(number - 3).and_then(|field| field.parse::<u64>().ok());
    ticks(16)
        .zip(ticks(17))
        .map(|(user, system)| user + system)
        .context("/proc/self/stat is too short")
}

fn clock_ticks_per_second() -> f64 {
    let output = Command::new("getconf").arg("CLK_TCK").output();
    let printed = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().parse().ok());
    // 100 on every Linux in use; `getconf` may be missing in a container.
    printed.ok().flatten().unwrap_or(100.0)
}

/// Returns the first line a program prints for `--version`, none when it cannot be started.
pub fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().next().unwrap_or("unknown").to_owned())
}

/// Tells the terminal how far a benchmark has come.
#[expect(clippy::print_stderr, reason = "progress of a benchmark goes to its terminal")]
pub fn notice(text: &str) {
    eprintln!("{text}");
}
