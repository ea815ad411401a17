//! Connections: how many there may be, how long each may take, and how they end.
//!
//! One thread does all of it but the writing; whoever is slow costs a socket, and nobody else's time.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::net::{IpAddr, TcpListener};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::committer;
use super::door::Door;
use super::limiter::Limiter;
use super::spool::Spool;
use super::{Clock, Event, Listener, Setup};

/// Connections at a time; further ones wait at the door of the system.
const CONNECTIONS_MAX: usize = 512;
/// Connections of one address at a time, unless it is a trusted proxy's.
const CONNECTIONS_OF_ONE_MAX: usize = 64;
/// How long the head of a request may take, and how long a connection may be silent between two of them.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a connection lasts at most.
const CONNECTION_TIME: Duration = Duration::from_mins(5);
/// Headers of a request at most.
const HEADERS_MAX: usize = 64;
/// Bytes of a request's head at most.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How often it is looked whether somebody wants the receiver to stop.
const LOOK: Duration = Duration::from_millis(50);
/// How long whoever is being answered may take once it stops.
const FAREWELL: Duration = Duration::from_secs(10);

/// Receives what comes to `socket` until `stop` is set; then finishes what is under way and closes its files.
///
/// # Errors
/// [`SpoolFault`](super::SpoolFault) when another receiver writes to the inbox.
pub fn serve(
    setup: Setup,
    socket: TcpListener,
    stop: &AtomicBool,
    clock: Clock,
    listener: &Listener,
) -> Result<()> {
    let (spool, closed) = Spool::open(&setup.inbox)?;
    for one in closed {
        listener(Event::Closed(one));
    }
    let forms: Vec<_> = setup.endpoints.iter().map(|endpoint| &endpoint.form).collect();
    let (committer, writer) = committer::start(
        spool,
        &forms,
        setup.close_after_seconds,
        Arc::clone(&clock),
        Arc::clone(listener),
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .context("cannot start the receiver")?;
    let Setup { endpoints, trusted_proxies, ip, .. } = setup;
    let door = Door {
        limiter: Mutex::new(Limiter::new(Door::rates(&endpoints))),
        endpoints,
        trusted_proxies,
        ip,
        committer,
        clock,
        listener: Arc::clone(listener),
        is_sound: AtomicBool::new(true),
    };
    let served = runtime.block_on(accept_all(Arc::new(door), socket, stop));
    // What still holds the door goes with its tasks; then the writer has nobody left to write for.
    drop(runtime);
    if writer.join().is_err() {
        anyhow::bail!("the thread that writes ended early; this is a bug");
    }
    served
}

async fn accept_all(door: Arc<Door>, socket: TcpListener, stop: &AtomicBool) -> Result<()> {
    socket.set_nonblocking(true).context("cannot listen")?;
    let socket = tokio::net::TcpListener::from_std(socket).context("cannot listen")?;
    let (farewell, leaving) = watch::channel(());
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let guests = Guests::default();
    let mut tasks = JoinSet::new();
    while !stop.load(Ordering::Relaxed) {
        let Ok(Ok(seat)) = timeout(LOOK, Arc::clone(&room).acquire_owned()).await else { continue };
        let (stream, peer) = match timeout(LOOK, socket.accept()).await {
            Ok(Ok((stream, peer))) => (stream, peer.ip().to_canonical()),
            Ok(Err(fault)) => {
                // Too many open files, or a connection that went away while it was taken: it passes.
                (door.listener)(Event::Fault(format!("cannot take a connection: {fault}")));
                sleep(LOOK).await;
                continue;
            }
            Err(_) => continue,
        };
        while tasks.try_join_next().is_some() {}
        let is_proxy = door.trusted_proxies.iter().any(|network| network.contains(peer));
        let most = if is_proxy { usize::MAX } else { CONNECTIONS_OF_ONE_MAX };
        let Some(guest) = guests.let_in(peer, most) else { continue };
        tasks.spawn(converse(Arc::clone(&door), stream, peer, (seat, guest), leaving.clone()));
    }
    drop(socket);
    drop(leaving);
    // Whoever listens for it hears it; nobody may be left.
    let _ = farewell.send(());
    let _ = timeout(FAREWELL, async { while tasks.join_next().await.is_some() {} }).await;
    Ok(())
}

/// Answers the requests of one connection, one after another.
async fn converse(
    door: Arc<Door>,
    stream: TcpStream,
    peer: IpAddr,
    _place: (OwnedSemaphorePermit, Guest),
    mut leaving: watch::Receiver<()>,
) {
    // An answer is one small packet, which must not wait for another.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| {
        let door = Arc::clone(&door);
        async move { Ok::<_, Infallible>(door.answer(peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut is_over = pin!(async {
        let _ = timeout(CONNECTION_TIME, leaving.changed()).await;
    });
    let mut is_leaving = false;
    let ends = poll_fn(|context| {
        if !is_leaving && is_over.as_mut().poll(context).is_ready() {
            is_leaving = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(context)
    });
    // A connection that breaks is nobody's fault; what was acknowledged on it is kept.
    let _ = timeout(CONNECTION_TIME + FAREWELL, ends).await;
}

/// Counts the connections of each address.
#[derive(Debug, Clone, Default)]
struct Guests(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address, until it is dropped.
struct Guest(Guests, IpAddr);

impl Guests {
    fn let_in(&self, address: IpAddr, most: usize) -> Option<Guest> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = known.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Guest(self.clone(), address))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut known = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = known.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                known.remove(&self.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_connections_and_gets_them_back() {
        let guests = Guests::default();
        let address = IpAddr::from([203, 0, 113, 7]);
        let one = guests.let_in(address, 2);
        let two = guests.let_in(address, 2);
        assert!(one.is_some() && two.is_some());
        assert!(guests.let_in(address, 2).is_none());
        assert!(guests.let_in(IpAddr::from([203, 0, 113, 8]), 2).is_some());
        drop(one);
        assert!(guests.let_in(address, 2).is_some());
        drop(two);
        assert!(guests.0.lock().unwrap().is_empty());
    }
}
