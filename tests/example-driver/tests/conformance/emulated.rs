//! A box from its maker's document, over an emulated card: what it says, and how its wire is spoiled. It knows nothing
//! of the driver.

use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use emulator::{Answer, Antenna, KeyType, Slot};
use encoder::conformance::FaultKind;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A box under way. Its socket and its connection go with it.
pub(crate) struct EmulatedBox {
    path: PathBuf,
    shared: Arc<Mutex<State>>,
    listening: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    is_off: bool,
    /// The one program that is served.
    connection: Option<UnixStream>,
    /// How many were served so far.
    programs: u64,
    wire: SpoiledWire,
}

/// What becomes of the lines that the box sends.
#[derive(Default)]
pub(crate) struct SpoiledWire {
    /// Lines sent so far.
    pub(crate) frames: u64,
    /// What happens to the line of that number.
    pub(crate) fault: Option<(FaultKind, u64)>,
    /// Faults that happened.
    pub(crate) happened: u64,
    is_silent: bool,
}

impl EmulatedBox {
    pub(crate) fn start(path: &Path, slot: Slot) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let shared = Arc::new(Mutex::new(State::default()));
        let thread = Arc::clone(&shared);
        Self {
            path: path.to_owned(),
            shared,
            listening: Some(std::thread::spawn(move || {
                listen(&listener, &thread, &slot);
            })),
        }
    }

    pub(crate) fn wire<T>(&self, change: impl FnOnce(&mut SpoiledWire) -> T) -> T {
        change(&mut self.shared.lock().unwrap().wire)
    }
}

impl Drop for EmulatedBox {
    fn drop(&mut self) {
        let connection = {
            let mut state = self.shared.lock().unwrap();
            state.is_off = true;
            state.connection.take()
        };
        if let Some(connection) = connection {
            let _ = connection.shutdown(Shutdown::Both);
        }
        // The listener waits for a connection: this is its last one.
        let _ = UnixStream::connect(&self.path);
        if let Some(listening) = self.listening.take() {
            listening.join().unwrap();
        }
        std::fs::remove_file(&self.path).unwrap();
    }
}

fn listen(listener: &UnixListener, shared: &Arc<Mutex<State>>, slot: &Slot) {
    let mut serving = Vec::new();
    for connection in listener.incoming() {
        let mut connection = connection.unwrap();
        let mut state = shared.lock().unwrap();
        if state.is_off {
            break;
        }
        if state.connection.as_ref().is_some_and(is_held) {
            let _ = connection.write_all(line("00 BUSY").as_bytes());
            continue;
        }
        state.connection = Some(connection.try_clone().unwrap());
        state.programs += 1;
        let program = state.programs;
        let (shared, slot) = (Arc::clone(shared), slot.clone());
        serving.push(std::thread::spawn(move || {
            serve(&connection, &shared, &slot);
            let mut state = shared.lock().unwrap();
            if state.programs == program {
                state.connection = None;
            }
        }));
    }
    for thread in serving {
        thread.join().unwrap();
    }
}

/// Serves one program until it goes.
fn serve(mut connection: &UnixStream, shared: &Mutex<State>, slot: &Slot) {
    let mut antenna = None;
    let reader = BufReader::new(connection.try_clone().unwrap());
    for request in reader.split(b'\n').map_while(Result::ok) {
        let Some((number, text)) = understood(&request) else {
            continue;
        };
        let answer = line(&format!("{number} {}", answer(slot, &mut antenna, &text)));
        let spoiled = shared.lock().unwrap().wire.spoil(answer.as_bytes());
        if let Some((late, bytes)) = spoiled {
            std::thread::park_timeout(late);
            if connection.write_all(&bytes).is_err() {
                break;
            }
        }
    }
}

/// Whether the program at the other end still holds its connection: the box is free as soon as it lets go.
fn is_held(connection: &UnixStream) -> bool {
    let mut fds = [PollFd::new(connection, PollFlags::empty())];
    poll(&mut fds, Some(&Timespec::default())).unwrap();
    !fds[0].revents().contains(PollFlags::HUP)
}

/// Number and text of a request whose sum is right.
fn understood(request: &[u8]) -> Option<(String, String)> {
    let request = String::from_utf8(request.to_vec()).ok()?;
    let (before, _) = request.split_once('*')?;
    let (number, text) = before.split_once(' ')?;
    (line(before).trim_end() == request).then(|| (number.to_owned(), text.to_owned()))
}

fn line(before: &str) -> String {
    let sum: u32 = before.bytes().map(u32::from).sum();
    format!("{before}*{:02X}\n", sum % 256)
}

fn answer(slot: &Slot, field: &mut Option<Antenna>, text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let bytes = |word: &str| hex::decode(word).unwrap_or_default();
    let block = |word: &str| bytes(word).first().copied().unwrap_or_default();
    match (&words[..], field.as_mut()) {
        (["OFF"], _) => {
            *field = None;
            "OK".to_owned()
        }
        (["SELECT"], _) if slot.cards().len() > 1 => "SEVERAL".to_owned(),
        (["SELECT"], _) => selected(field.insert(Antenna::over(slot.clone()))),
        (["AUTH", at, which, key], Some(antenna)) => {
            let key_type = if *which == "A" {
                KeyType::A
            } else {
                KeyType::B
            };
            let key = bytes(key).try_into().unwrap_or_default();
            said(antenna.authenticate(block(at), key_type, key))
        }
        (["READ", at], Some(antenna)) => said(antenna.read(block(at))),
        (["WRITE", at, data], Some(antenna)) => {
            let data = bytes(data).try_into().unwrap_or_default();
            said(antenna.write(block(at), &data))
        }
        _ => "NO".to_owned(),
    }
}

fn selected(antenna: &mut Antenna) -> String {
    match antenna.select() {
        None => "NONE".to_owned(),
        Some(card) => {
            let [low, high] = card.atqa;
            format!("CARD {high:02X}{low:02X} {:02X} {}", card.sak, card.uid)
        }
    }
}

fn said(answer: Answer) -> String {
    match answer {
        Answer::Acknowledged => "OK".to_owned(),
        Answer::Data(data) => format!("DATA {}", hex::encode_upper(data)),
        Answer::Refused => "NO".to_owned(),
        Answer::Silence => "GONE".to_owned(),
    }
}

impl SpoiledWire {
    /// What is sent for a line, after how long; nothing for one that is lost.
    fn spoil(&mut self, line: &[u8]) -> Option<(Duration, Vec<u8>)> {
        self.frames += 1;
        let due = self.fault.take_if(|(_, frame)| *frame == self.frames);
        self.happened += u64::from(due.is_some());
        let mut bytes = line.to_vec();
        let mut late = Duration::ZERO;
        match due.map(|(kind, _)| kind) {
            None => {}
            Some(FaultKind::Late(by)) => late = by,
            Some(FaultKind::Garbage) => bytes.iter_mut().for_each(|byte| *byte ^= 0x15),
            Some(FaultKind::Truncated) => bytes.truncate(line.len() / 2),
            Some(FaultKind::Oversize) => bytes = [&[b'A'; 4096][..], line].concat(),
            Some(FaultKind::Duplicate) => bytes.extend(line),
            Some(FaultKind::Silence) => self.is_silent = true,
            Some(_) => bytes.clear(),
        }
        (!self.is_silent).then_some((late, bytes))
    }
}
