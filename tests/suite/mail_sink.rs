//! A mail server that takes or refuses mails as a script says, and keeps their bytes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How the server behaves towards one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes the mail.
    Kind,
    /// Answers the connection with 421.
    Busy,
    /// Refuses the recipient with 550.
    NoSuchMailbox,
    /// Says at the recipient that it may be tried later.
    Greylisting,
    /// Refuses the mail itself with 554.
    NoSuchMail,
    /// Takes the mail and closes the connection without a word.
    DropAfterData,
    /// Answers the greeting with lines without end.
    Endless,
}

/// A mail as it was taken: the envelope and the bytes, with the dots of the transfer taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    pub bytes: Vec<u8>,
    pub was_answered: bool,
}

impl Taken {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }
}

pub struct MailSink {
    pub port: u16,
    taken: Arc<Mutex<Vec<Taken>>>,
    conversations: Arc<Mutex<usize>>,
}

impl MailSink {
    /// Listens on a port of its own; `manner` is asked with how many conversations there were before.
    pub fn start(manner: impl Fn(usize) -> Manner + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (taken, conversations) = (Arc::default(), Arc::default());
        let sink =
            Self { port, taken: Arc::clone(&taken), conversations: Arc::clone(&conversations) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let manner = {
                    let mut count = conversations.lock().unwrap();
                    *count += 1;
                    manner(*count - 1)
                };
                // A sender that went away is what is being tested.
                let _ = converse(&stream, manner, &taken);
            }
        });
        sink
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    pub fn conversations(&self) -> usize {
        *self.conversations.lock().unwrap()
    }
}

fn converse(
    mut stream: &TcpStream,
    manner: Manner,
    taken: &Mutex<Vec<Taken>>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes());
    match manner {
        Manner::Busy => return say("421 come back later"),
        Manner::Endless => loop {
            say("220-and another line")?;
        },
        _ => say("220 sink.example ESMTP")?,
    }
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        assert!(line.ends_with("\r\n"), "a bare line feed: {line:?}");
        let line = line.trim_end();
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        match line.get(..4).unwrap_or_default() {
            "EHLO" => say("250-sink.example\r\n250 8BITMIME")?,
            "MAIL" => {
                from = address();
                say("250 fine")?;
            }
            "RCPT" => match manner {
                Manner::NoSuchMailbox => say("550 no such mailbox")?,
                Manner::Greylisting => say("451 try again later")?,
                _ => {
                    to.push(address());
                    say("250 fine")?;
                }
            },
            "DATA" => {
                say("354 go on")?;
                let bytes = mail(&mut reader)?;
                if manner == Manner::NoSuchMail {
                    say("554 no such mail here")?;
                    continue;
                }
                let was_answered = manner != Manner::DropAfterData;
                let (from, to) = (std::mem::take(&mut from), std::mem::take(&mut to));
                taken.lock().unwrap().push(Taken { from, to, bytes, was_answered });
                if !was_answered {
                    return Ok(());
                }
                say("250 taken")?;
            }
            "QUIT" => return say("221 bye"),
            _ => say("502 what?")?,
        }
    }
}

/// Reads a mail to its lone dot.
fn mail(reader: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        assert!(line.ends_with(b"\r\n"), "a bare line feed in {line:?}");
        if line == b".\r\n" {
            return Ok(bytes);
        }
        bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
