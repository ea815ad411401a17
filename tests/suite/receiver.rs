//! A receiver that is up, and a client that sends it bytes.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::traced::{Call, Log, under};
use super::workspace::{Workspace, code_of};

/// Any port, and a line of JSON for each request.
const RECEIVE: &[&str] = &["receive", "--listen", "127.0.0.1:0", "--json"];

/// A receiver that is up; it is killed when it is dropped.
pub struct Receiver {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Receiver {
    /// Starts one in `workspace`, on any port.
    #[track_caller]
    pub fn start(workspace: &Workspace) -> Self {
        Self::start_with(workspace, &[])
    }

    /// Starts one with variables in its environment.
    #[track_caller]
    pub fn start_with(workspace: &Workspace, variables: &[(&str, &str)]) -> Self {
        let mut command = workspace.command(RECEIVE);
        command.envs(variables.iter().copied());
        Self::of(command)
    }

    /// Starts one of which `calls` are written down.
    #[track_caller]
    pub fn start_traced(workspace: &Workspace, calls: &[&str]) -> (Self, Log) {
        let log = Log::of(calls);
        (Self::of(under(&log.options(), &workspace.command(RECEIVE))), log)
    }

    #[track_caller]
    fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        let Ok(began) = serde_json::from_str::<serde_json::Value>(&first) else {
            let mut said = String::new();
            stderr.read_to_string(&mut said).unwrap();
            panic!("the receiver did not start: {said}");
        };
        let address = began["listening"].as_str().unwrap().parse().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let to_log = |mut from: Box<dyn std::io::BufRead + Send>| {
            let log = Arc::clone(&log);
            thread::spawn(move || {
                let mut line = String::new();
                while from.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                    log.lock().unwrap().push_str(&line);
                    line.clear();
                }
            })
        };
        let readers = vec![to_log(Box::new(stdout)), to_log(Box::new(BufReader::new(stderr)))];
        Self { child, address, log, readers }
    }

    /// Returns everything it has said until now.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends bytes and reads until the other side ends the connection or says nothing for a while.
    pub fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // A server that has heard enough may close before all is written.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends a request and returns its answer.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        Reply::parse(&self.raw(&request(method, path, headers, body)))
    }

    /// Posts a body of some kind.
    #[track_caller]
    pub fn post(&self, path: &str, kind: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send("POST", path, &[("Content-Type", kind)], body.as_ref())
    }

    /// Ends it as Ctrl-C does not, and as nothing can prevent.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and returns its exit code and all that it said.
    pub fn stop(self) -> (i32, String) {
        let pid = self.child.id().to_string();
        self.stop_process(&pid)
    }

    /// Asks one that is traced to end, and returns what it called.
    pub fn stop_traced(self, log: &Log) -> Vec<Call> {
        let pid = self.traced();
        self.stop_process(pid.trim());
        log.calls()
    }

    /// The process that strace follows, where that is what was started; else nothing.
    fn traced(&self) -> String {
        let tracer = self.child.id();
        let children = format!("/proc/{tracer}/task/{tracer}/children");
        std::fs::read_to_string(children).unwrap_or_default()
    }

    fn stop_process(mut self, pid: &str) -> (i32, String) {
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        let code = code_of(self.child.wait().unwrap());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        (code, self.log())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Who is traced outlives the tracer.
        for pid in self.traced().split_whitespace() {
            let _ = Command::new("kill").args(["-KILL", pid]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Reply {
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        let (head, body) =
            text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the receipt of an answer that must be good.
    #[track_caller]
    pub fn receipt(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["receipt"].as_str().unwrap().to_owned()
    }

    /// Fails unless the request was refused with `status`, for the reason `code`.
    #[track_caller]
    pub fn expect(&self, status: u16, code: &str) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["error"], code, "{self:?}");
        assert!(body["message"].as_str().is_some_and(|message| message.len() > 10), "{self:?}");
        self
    }
}

/// Returns the bytes of a request.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: forms.example\r\n");
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    if !headers.iter().any(|(name, _)| ["Content-Length", "Transfer-Encoding"].contains(name)) {
        write!(text, "Content-Length: {}\r\n", body.len()).unwrap();
    }
    [text.as_bytes(), b"\r\n", body].concat()
}
