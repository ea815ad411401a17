//! A receiver that is killed under load: whatever it acknowledged is in the next run, exactly once.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

use super::receiver::{Receiver, request};
use super::workspace::{Random, Workspace};

const RULES: &str = r#"
trusted-proxies = ["127.0.0.1"]

[[form]]
id = "contact"
path = "/contact"
source = "generic-json"
check = "none"
per-minute = 1000000
per-address-per-minute = 1000000
because = "b"
"#;

/// How often the receiver is killed unless `LEADMILL_RECEIVER_KILLS` says otherwise.
const KILLS: u64 = 6;
const CLIENTS: usize = 8;
/// How many submissions may be under way for one kill, so that the run behind them stays short.
const SUBMISSIONS_PER_KILL: usize = 60;

/// What is still to be sent, and what was acknowledged.
#[derive(Default)]
struct Traffic {
    waiting: Vec<String>,
    acknowledged: BTreeSet<String>,
    made: usize,
}

/// Sends one submission after another until the receiver is gone; what nobody acknowledged goes back to be sent again.
fn send_until_it_is_gone(address: SocketAddr, traffic: &Mutex<Traffic>, most: usize) {
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    loop {
        let email = {
            let mut traffic = traffic.lock().unwrap();
            match traffic.waiting.pop() {
                Some(email) => email,
                None if traffic.made < most => {
                    traffic.made += 1;
                    format!("p{}@example.com", traffic.made)
                }
                None => return,
            }
        };
        let body = format!("{{\"email\":\"{email}\"}}");
        let bytes =
            request("POST", "/contact", &[("Content-Type", "application/json")], body.as_bytes());
        let is_acknowledged = stream.write_all(&bytes).is_ok() && is_good(&mut stream);
        let mut traffic = traffic.lock().unwrap();
        if is_acknowledged {
            assert!(traffic.acknowledged.insert(email), "acknowledged twice");
        } else {
            traffic.waiting.push(email);
            return;
        }
    }
}

/// Reads one answer and returns whether it is whole and good.
fn is_good(stream: &mut TcpStream) -> bool {
    let mut answer = Vec::new();
    let mut buffer = [0; 1_024];
    while !answer.ends_with(b"}\n") {
        match stream.read(&mut buffer) {
            Ok(bytes) if bytes > 0 => answer.extend_from_slice(&buffer[..bytes]),
            _ => return false,
        }
    }
    answer.starts_with(b"HTTP/1.1 200 ")
}

#[test]
fn what_was_acknowledged_before_a_kill_is_in_the_next_run_exactly_once() {
    let kills =
        std::env::var("LEADMILL_RECEIVER_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let workspace = Workspace::new();
    workspace.file("rules/receive.toml", RULES);
    let traffic = Mutex::new(Traffic::default());
    let mut random = Random::new();
    let mut interrupted = 0;
    for kill in 1..=kills {
        let receiver = Receiver::start(&workspace);
        let address = receiver.address;
        let pause = Duration::from_millis(random.next() % 60);
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let (traffic, most) = (&traffic, kill as usize * SUBMISSIONS_PER_KILL);
                scope.spawn(move || send_until_it_is_gone(address, traffic, most));
            }
            std::thread::sleep(pause);
            if kill % 3 == 0 {
                // A run closes files under the hands of the receiver.
                workspace.done(&["run"]);
            }
            receiver.kill();
        });
        interrupted += u64::from(!traffic.lock().unwrap().waiting.is_empty());
    }
    // Whatever nobody acknowledged is sent once more, as every sender does.
    let receiver = Receiver::start(&workspace);
    send_until_it_is_gone(receiver.address, &traffic, 0);
    let (code, log) = receiver.stop();
    assert_eq!(code, 0, "{log}");
    workspace.done(&["run"]);

    let traffic = traffic.into_inner().unwrap();
    assert_eq!(traffic.waiting, [""; 0]);
    let emails = "SELECT json_extract(fields, '$.email') FROM submissions";
    let mut kept = workspace.sql(emails).concat();
    let all: BTreeSet<String> = kept.iter().cloned().collect();
    assert_eq!(kept.len(), all.len(), "a submission was kept twice");
    kept.sort();
    assert_eq!(kept, traffic.acknowledged.iter().cloned().collect::<Vec<_>>());
    assert_eq!(workspace.number("SELECT count(*) FROM leads") as usize, all.len());
    assert!(interrupted > 0, "no kill interrupted anything: the test is blind");
    eprintln!("{kills} kills, {interrupted} under way, {} submissions", all.len());
}
