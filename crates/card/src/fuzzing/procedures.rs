//! Whole procedures on a card that answers anything: each ends within a bounded number of exchanges, and asks for nothing
//! outside the placing.

use super::bounds::Bounds;
use super::scene::{NOON, ROOM, Scene};
use super::script::Script;
use crate::{
    Command, Door, DoorNumber, Inspect, IssueNumber, Lock, Minute, Procedure, Purpose, ReadCopies,
    Refusal, Reply, Step, Write, plan,
};

/// More than the longest procedure takes, which writes an NTAG216 page by page and reads it back.
const MOST_EXCHANGES: usize = 400;

/// Two bytes choose the scene, the others are what the card answers to an encode. Returns whether it was written.
#[must_use]
pub fn encode(bytes: &[u8]) -> bool {
    scripted(bytes, encode_with)
}

/// The same to a scan. Returns whether it ended with findings.
#[must_use]
pub fn scan(bytes: &[u8]) -> bool {
    scripted(bytes, scan_with)
}

/// The same to a lock. Returns whether it opened.
#[must_use]
pub fn read_copies(bytes: &[u8]) -> bool {
    scripted(bytes, read_copies_with)
}

type Answers<'a> = &'a mut dyn FnMut(&Command) -> Option<Reply>;

fn scripted(bytes: &[u8], body: fn(&Scene, Answers<'_>) -> bool) -> bool {
    let [card, choice, script @ ..] = bytes else {
        return false;
    };
    let scene = Scene::new(*card, *choice);
    let mut script = Script(script);
    body(&scene, &mut |_| script.next(&scene))
}

/// An encode on a card that answers so; `None` is a card that is gone.
pub fn encode_with(scene: &Scene, answers: Answers<'_>) -> bool {
    let (keys, credential) = (scene.keys(), scene.credential());
    let Ok(purpose) = Purpose::encode(&credential) else {
        return false;
    };
    let inspect = Inspect::new(scene.presented().clone(), &keys, purpose, Scene::entropy());
    let Some(found) = inspect
        .ok()
        .and_then(|inspect| run(inspect, Bounds::reading(), answers))
    else {
        return false;
    };
    let Ok(planned) = plan(&found, &credential, &keys, &scene.options()) else {
        return false;
    };
    let write = Write::new(planned, &keys, Scene::entropy());
    run(write, Bounds::writing(found.technology()), answers).is_some()
}

/// A scan of a card that answers so.
pub fn scan_with(scene: &Scene, answers: Answers<'_>) -> bool {
    Inspect::new(
        scene.presented().clone(),
        &scene.keys(),
        Purpose::Scan,
        Scene::entropy(),
    )
    .is_ok_and(|inspect| run(inspect, Bounds::reading(), answers).is_some())
}

/// A lock that reads a card that answers so.
pub fn read_copies_with(scene: &Scene, answers: Answers<'_>) -> bool {
    let keys = scene.keys().lock_keys();
    let door = Door::Guest(DoorNumber::new(ROOM).expect("it is a door's number"));
    let lock = Lock::new(keys.clone(), door, IssueNumber::MIN);
    ReadCopies::new(scene.presented().clone(), keys, Scene::entropy())
        .ok()
        .and_then(|read| run(read, Bounds::reading(), answers))
        .is_some_and(|read| lock.decide(&read, Minute::new(NOON).ok()).is_open())
}

/// Runs a procedure to its end. `None` when the card left or it was refused.
fn run<P: Procedure>(
    mut procedure: P,
    mut bounds: Bounds,
    answers: Answers<'_>,
) -> Option<P::Output> {
    let mut last = None;
    for _ in 0..MOST_EXCHANGES {
        match procedure.next(last.take()) {
            Step::Done(result) => return result.inspect_err(says_what_to_do).ok(),
            Step::Exchange(command, effect) => {
                bounds.check(&command, effect);
                last = Some(answers(&command)?);
            }
        }
    }
    panic!("a procedure that does not end");
}

fn says_what_to_do(refusal: &Refusal) {
    let said = refusal.to_string();
    assert!(said.contains("; ") || said.contains(": "), "{said}");
}
