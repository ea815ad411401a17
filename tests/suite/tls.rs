//! Certificates: nothing is sent to whoever cannot show one that holds, is for that host and of an authority that is
//! trusted.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::outbox::{endpoint, workspace};
use super::workspace::{Workspace, package};

/// What a server speaks behind its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Https,
    Smtps,
    StartTls,
}

/// A server that takes everything, once somebody trusts it.
struct Server {
    port: u16,
    taken: Arc<AtomicUsize>,
}

impl Server {
    /// Listens with the certificate `fixtures/tls/NAME.pem`.
    fn start(speaks: Speaks, name: &str) -> Self {
        let folder = package().join("fixtures/tls");
        let certificate =
            CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), taken: Arc::default() };
        let taken = Arc::clone(&server.taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is what is being tested.
                let _ = serve(stream, speaks, &config, &taken);
            }
        });
        server
    }
}

fn serve(
    mut stream: TcpStream,
    speaks: Speaks,
    config: &Arc<ServerConfig>,
    taken: &AtomicUsize,
) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    if speaks == Speaks::StartTls {
        stream.write_all(b"220 sink.example ESMTP\r\n")?;
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        while !lines.next().unwrap_or(Ok("STARTTLS".to_owned()))?.starts_with("STARTTLS") {
            stream.write_all(b"250-sink.example\r\n250 STARTTLS\r\n")?;
        }
        stream.write_all(b"220 go on\r\n")?;
    }
    let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(session, stream);
    match speaks {
        Speaks::Https => take_request(&mut stream)?,
        Speaks::Smtps => {
            stream.write_all(b"220 sink.example ESMTP\r\n")?;
            take_mail(&mut stream)?;
        }
        Speaks::StartTls => take_mail(&mut stream)?,
    }
    taken.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

fn take_request(stream: &mut (impl Read + Write)) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end().split_once(": ") {
            Some(("content-length", text)) => length = text.parse().unwrap(),
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    reader.get_mut().write_all(b"HTTP/1.1 204 Taken\r\n\r\n")?;
    reader.get_mut().flush()
}

fn take_mail(stream: &mut (impl Read + Write)) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut is_mail = false;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let answer: &[u8] = match line.trim_end() {
            "." => {
                is_mail = false;
                b"250 taken\r\n"
            }
            _ if is_mail => b"",
            "DATA" => {
                is_mail = true;
                b"354 go on\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 fine\r\n",
        };
        reader.get_mut().write_all(answer)?;
        reader.get_mut().flush()?;
        if answer.starts_with(b"221") {
            return Ok(());
        }
    }
}

/// A workspace with one delivery for the server, which is to show a certificate of `authority`.
fn with_delivery(speaks: Speaks, port: u16, authority: Option<&str>) -> Workspace {
    let workspace = workspace(1);
    let mut more = String::new();
    if let Some(name) = authority {
        let pem = std::fs::read(package().join(format!("fixtures/tls/{name}.pem"))).unwrap();
        workspace.file("own-ca.pem", pem);
        more.push_str("ca-file = \"own-ca.pem\"\n");
    }
    let rules = match speaks {
        Speaks::Https => endpoint("far", &format!("https://localhost:{port}/hook"), &more),
        Speaks::Smtps | Speaks::StartTls => {
            let encryption = if speaks == Speaks::Smtps { "tls" } else { "starttls" };
            format!(
                "[[endpoint]]\nid = \"far\"\nkind = \"smtp\"\nhost = \"localhost\"\nport = {port}\n\
                 encryption = \"{encryption}\"\nbecause = \"a test\"\ntimeout = \"5s\"\n\
                 sender = {{ name = \"T\", address = \"t@zespol.example\" }}\n\
                 digest = [\"szef@zespol.example\"]\n{more}"
            )
        }
    };
    workspace.file("rules/outbox.toml", rules);
    workspace.run(&["run", "--as-of", "2026-11-19T19:00:00Z"]);
    workspace
}

#[track_caller]
fn check(speaks: Speaks, certificate: &str, authority: Option<&str>, is_trusted: bool) {
    let server = Server::start(speaks, certificate);
    let workspace = with_delivery(speaks, server.port, authority);
    let args = ["deliver", "--budget", "1s", "--as-of", "2026-11-19T19:01:00Z"];
    let code = workspace.run(&args).code;
    let named = format!("{speaks:?}, {certificate}, {authority:?}");
    let found = workspace.sql(
        "SELECT o.state, r.last_code FROM outbox AS o JOIN outbox_request AS r USING (request_no)",
    );
    if is_trusted {
        assert_eq!(found[0][0], "delivered", "{named}");
        assert_eq!((code, server.taken.load(Ordering::Relaxed)), (0, 1), "{named}");
    } else {
        assert_eq!(found, [["claimed", "tls"]], "{named}");
        assert_eq!((code, server.taken.load(Ordering::Relaxed)), (3, 0), "{named}");
    }
}

#[test]
fn a_certificate_of_a_known_authority_for_this_host_that_holds_is_good_enough() {
    for speaks in [Speaks::Https, Speaks::Smtps, Speaks::StartTls] {
        check(speaks, "good", Some("ca"), true);
    }
}

#[test]
fn nothing_is_sent_to_whoever_shows_another() {
    for speaks in [Speaks::Https, Speaks::Smtps, Speaks::StartTls] {
        check(speaks, "expired", Some("ca"), false);
        check(speaks, "wrong-host", Some("ca"), false);
        check(speaks, "self-signed", Some("ca"), false);
        // The system knows nothing of our authority.
        check(speaks, "good", None, false);
    }
}

#[test]
fn a_file_without_authorities_is_told_of_and_nothing_is_sent() {
    for (text, words) in
        [("", "holds no certificate"), ("-----BEGIN CERTIFICATE-----\nx\n", "is damaged")]
    {
        let server = Server::start(Speaks::Https, "good");
        let workspace = with_delivery(Speaks::Https, server.port, Some("ca"));
        workspace.file("own-ca.pem", text);
        let outcome = workspace.run(&["deliver", "--as-of", "2026-11-19T19:01:00Z"]);
        outcome.expect_code(3).says(&["own-ca.pem", words]);
        assert_eq!(workspace.sql("SELECT state FROM outbox").concat(), ["pending"]);
        assert_eq!(server.taken.load(Ordering::Relaxed), 0);
    }
}
