//! A receiver that does as a script says, be it hostile: bytes over TCP, nothing but the standard library. It writes
//! down every request that came whole, with its id and body.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the receiver does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Answers with this status and body.
    Answer(u16, String),
    /// The same with a header.
    AnswerWith(u16, String, String),
    /// Takes it and says nothing until the sender gives up.
    Silence,
    /// Takes it and answers a byte at a time, slowly.
    Drip,
    /// Takes it whole and closes the connection.
    ResetAfterBody,
    /// Takes it and announces more than it says.
    HalfBody,
    /// Takes it and never ends its headers.
    EndlessHeaders,
    /// Takes it and answers with a body of many megabytes.
    BigBody,
    /// Takes it and answers something that is no HTTP.
    Nonsense,
}

/// Answers with this status and nothing else.
pub fn answer(status: u16) -> Deed {
    Deed::Answer(status, String::new())
}

/// A request that came whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    pub deed: Deed,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The id of the request.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }
}

/// What the script is asked: the path, the body, and how many requests came whole before, to any path and to this one.
pub struct Asked<'a> {
    pub path: &'a str,
    pub body: &'a str,
    pub before: usize,
    pub before_here: usize,
}

type Script = Arc<dyn Fn(&Asked<'_>) -> Deed + Send + Sync>;

/// A receiver that listens until it is dropped.
pub struct Receiver {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    is_over: Arc<AtomicBool>,
}

impl Receiver {
    /// Listens on a port of its own.
    pub fn start(script: impl Fn(&Asked<'_>) -> Deed + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, is_over) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let receiver = Self { port, seen: Arc::clone(&seen), is_over: Arc::clone(&is_over) };
        let script: Script = Arc::new(script);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let (script, seen, is_over) =
                    (Arc::clone(&script), Arc::clone(&seen), Arc::clone(&is_over));
                std::thread::spawn(move || {
                    // A sender that went away is what is being tested.
                    let _ = serve(&stream, &script, &seen, &is_over);
                });
            }
        });
        receiver
    }

    /// The address of `path` here.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// Everything that came whole so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests came whole to `path`.
    pub fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|one| one.path == path).count()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes up who listens.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(
    stream: &TcpStream,
    script: &Script,
    seen: &Mutex<Vec<Seen>>,
    is_over: &AtomicBool,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ').map(str::to_owned);
        let method = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default().trim_start_matches('/').to_owned();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
                None => break,
            };
        }
        let length: usize = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
        if path.starts_with("reset-after-headers") {
            // What is not read makes the system answer with a reset.
            return Ok(());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8(body).unwrap();
        let deed = {
            let mut seen = seen.lock().unwrap();
            let before_here = seen.iter().filter(|one| one.path == path).count();
            let asked = Asked { path: &path, body: &body, before: seen.len(), before_here };
            let deed = script(&asked);
            seen.push(Seen { method, path, headers, body, deed: deed.clone() });
            deed
        };
        if !do_it(stream, &deed, is_over)? {
            return Ok(());
        }
    }
}

/// Does `deed`; returns whether the connection lives on.
fn do_it(mut stream: &TcpStream, deed: &Deed, is_over: &AtomicBool) -> std::io::Result<bool> {
    let head = |status: u16, length: usize, more: &str| {
        format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {length}\r\n{more}\r\n")
    };
    match deed {
        Deed::Answer(status, body) => {
            stream.write_all((head(*status, body.len(), "") + body).as_bytes())?;
            return Ok(true);
        }
        Deed::AnswerWith(status, header, body) => {
            let more = format!("{header}\r\n");
            stream.write_all((head(*status, body.len(), &more) + body).as_bytes())?;
            return Ok(true);
        }
        Deed::Silence => wait(stream, is_over),
        Deed::Drip => {
            for byte in head(200, 0, "").bytes() {
                stream.write_all(&[byte])?;
                std::thread::sleep(Duration::from_millis(300));
            }
        }
        Deed::HalfBody => stream.write_all((head(200, 100, "") + "half").as_bytes())?,
        Deed::EndlessHeaders => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            for number in 0..1_000_000 {
                stream.write_all(format!("x-{number}: {}\r\n", "x".repeat(64)).as_bytes())?;
            }
        }
        Deed::BigBody => {
            stream.write_all(head(200, 1 << 33, "").as_bytes())?;
            let piece = vec![b'x'; 1 << 16];
            for _ in 0..1 << 17 {
                stream.write_all(&piece)?;
            }
        }
        Deed::Nonsense => stream.write_all(b"220 mail.example ESMTP\r\n\r\n")?,
        Deed::ResetAfterBody => {}
    }
    Ok(false)
}

/// Waits until the sender gives up.
fn wait(mut stream: &TcpStream, is_over: &AtomicBool) {
    let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
    while !is_over.load(Ordering::Relaxed) {
        match stream.read(&mut [0; 1]) {
            Ok(0) => return,
            Ok(_) => {}
            Err(fault) => match fault.kind() {
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {}
                _ => return,
            },
        }
    }
}
