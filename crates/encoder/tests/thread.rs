//! What the bridge relies on: one answer to each question, whatever the driver does.
#![expect(clippy::unwrap_used, reason = "a test's own fixtures may fail it")]

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use card::{Command, CommandKind, PresentedCard, Reply, SelectAnswer, Uid};
use encoder::{
    Abandoned, BlockEncoder, CardSession, CardWait, Encoder, EncoderThread, Error, ErrorKind,
    Selected, Stop,
};

/// Generous: it only keeps a broken test from hanging.
const LIMIT: Duration = Duration::from_secs(10);

/// What the fake does at its next call; it waits for it, so that a test decides when a call returns.
enum Next {
    Card,
    NoCard,
    Reply(Reply),
    Gone,
    Panic,
}

struct Fake {
    script: Receiver<Next>,
    ended: Sender<&'static str>,
}

struct FakeSession<'a> {
    encoder: &'a mut Fake,
    card: PresentedCard,
}

impl BlockEncoder for Fake {
    fn select<'a>(
        &'a mut self,
        _: CardWait,
        _: Instant,
        stop: &Stop,
    ) -> Result<Box<dyn CardSession + 'a>, Error> {
        loop {
            match self.script.recv_timeout(Duration::from_millis(5)) {
                Ok(Next::Card) => break,
                Ok(Next::NoCard) => return Err(Error::new(ErrorKind::NoCard)),
                Ok(Next::Panic) => panic!("planted"),
                Ok(Next::Reply(_) | Next::Gone) => unreachable!("the script is for an exchange"),
                Err(_) if stop.is_raised() => return Err(Error::new(ErrorKind::Cancelled)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Error::new(ErrorKind::NoCard)),
            }
        }
        Ok(Box::new(FakeSession {
            encoder: self,
            card: a_card(),
        }))
    }
}

impl CardSession for FakeSession<'_> {
    fn card(&self) -> &PresentedCard {
        &self.card
    }

    fn supports(&self, kind: CommandKind) -> bool {
        kind == CommandKind::Reselect
    }

    fn exchange(&mut self, _: &Command) -> Result<Reply, Error> {
        match self.encoder.script.recv() {
            Ok(Next::Reply(reply)) => Ok(reply),
            Ok(Next::Panic) => panic!("planted"),
            _ => Err(Error::new(ErrorKind::CardGone)),
        }
    }
}

impl Drop for FakeSession<'_> {
    fn drop(&mut self) {
        let _ = self.encoder.ended.send("session");
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = self.ended.send("encoder");
    }
}

fn a_card() -> PresentedCard {
    PresentedCard {
        uid: Uid::new(&[4, 0xA1, 0xB2, 0xC3]).unwrap(),
        answer: SelectAnswer::Atr(vec![0x3B]),
    }
}

/// A thread with an open fake on it, the strings of the fake, and what it let go of.
struct Rig {
    thread: EncoderThread,
    script: Sender<Next>,
    ended: Receiver<&'static str>,
    abandoned: Abandoned,
}

fn open() -> Rig {
    let (script, next) = channel();
    let (ended_tx, ended) = channel();
    let abandoned = Abandoned::default();
    let (opened, was_opened) = answers();
    let thread = EncoderThread::start(
        "fake",
        &abandoned,
        move || {
            Ok(Encoder::Block(Box::new(Fake {
                script: next,
                ended: ended_tx,
            })))
        },
        opened,
    );
    was_opened.recv_timeout(LIMIT).unwrap().unwrap();
    Rig {
        thread,
        script,
        ended,
        abandoned,
    }
}

type Given<T> = Receiver<Result<T, Error>>;

fn answers<T: Send + 'static>() -> (impl FnOnce(Result<T, Error>) + Send + 'static, Given<T>) {
    let (tx, rx) = channel();
    (move |result| drop(tx.send(result)), rx)
}

/// The one answer; a second one would show as something other than a dropped callback.
fn only<T: std::fmt::Debug>(given: &Given<T>) -> Result<T, Error> {
    let first = given.recv_timeout(LIMIT).expect("an answer");
    assert!(matches!(
        given.recv_timeout(LIMIT),
        Err(RecvTimeoutError::Disconnected)
    ));
    first
}

fn kind<T: std::fmt::Debug>(given: &Given<T>) -> ErrorKind {
    only(given).unwrap_err().kind()
}

impl Rig {
    fn select(&self) -> Given<Selected> {
        let (answer, given) = answers();
        self.thread.select(
            CardWait::Resting,
            Instant::now() + LIMIT,
            Stop::default(),
            answer,
        );
        given
    }

    fn exchange(&self) -> Given<Reply> {
        let (answer, given) = answers();
        self.thread.exchange(Command::Reselect, answer);
        given
    }

    fn let_go(&self) -> &'static str {
        self.ended.recv_timeout(LIMIT).unwrap()
    }
}

#[test]
fn a_session_lasts_from_select_to_release() {
    let rig = open();
    let selected = rig.select();
    rig.script.send(Next::Card).unwrap();
    let selected = only(&selected).unwrap();
    assert_eq!(selected.card, a_card());
    assert_eq!(selected.supports, [CommandKind::Reselect]);

    rig.script.send(Next::Reply(Reply::Done)).unwrap();
    assert_eq!(only(&rig.exchange()).unwrap(), Reply::Done);
    rig.script.send(Next::Gone).unwrap();
    assert_eq!(kind(&rig.exchange()), ErrorKind::CardGone);

    rig.thread.release();
    assert_eq!(rig.let_go(), "session");
    assert_eq!(kind(&rig.exchange()), ErrorKind::CardGone);
}

#[test]
fn the_next_select_ends_the_session_before() {
    let rig = open();
    rig.script.send(Next::Card).unwrap();
    only(&rig.select()).unwrap();
    rig.script.send(Next::NoCard).unwrap();
    assert_eq!(kind(&rig.select()), ErrorKind::NoCard);
    assert_eq!(rig.let_go(), "session");
    rig.script.send(Next::Card).unwrap();
    only(&rig.select()).unwrap();
}

#[test]
fn an_encoder_that_does_not_open_says_so_and_answers_nothing_more() {
    let (opened, given) = answers();
    let thread = EncoderThread::start(
        "fake",
        &Abandoned::default(),
        || Err(Error::new(ErrorKind::Held)),
        opened,
    );
    assert_eq!(kind(&given), ErrorKind::Held);
    let (answer, given) = answers();
    thread.exchange(Command::Reselect, answer);
    assert_eq!(kind(&given), ErrorKind::Unresponsive);
}

#[test]
fn a_driver_that_panics_while_opening_is_answered_for() {
    let (opened, given) = answers();
    let _thread = EncoderThread::start("fake", &Abandoned::default(), || panic!("planted"), opened);
    let error = only(&given).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unresponsive);
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("did not foresee")
    );
}

#[test]
fn a_driver_that_panics_in_an_exchange_is_answered_for_and_so_is_the_queue() {
    let rig = open();
    rig.script.send(Next::Card).unwrap();
    only(&rig.select()).unwrap();
    let (first, second) = (rig.exchange(), rig.exchange());
    rig.script.send(Next::Panic).unwrap();
    assert_eq!(kind(&first), ErrorKind::Unresponsive);
    assert_eq!(kind(&second), ErrorKind::Unresponsive);
    assert_eq!(rig.let_go(), "session");
    assert_eq!(rig.let_go(), "encoder");
}

#[test]
fn a_full_queue_answers_at_once() {
    let rig = open();
    rig.script.send(Next::Card).unwrap();
    only(&rig.select()).unwrap();
    let many: Vec<_> = (0..10).map(|_| rig.exchange()).collect();
    assert_eq!(kind(many.last().unwrap()), ErrorKind::Unresponsive);
    for _ in 0..10 {
        rig.script.send(Next::Reply(Reply::Done)).unwrap();
    }
    let done = many[..9].iter().filter(|given| only(given).is_ok()).count();
    assert!((1..9).contains(&done), "{done} were carried out");
}

#[test]
fn an_abandoned_thread_owes_nothing_and_its_late_answer_is_dropped() {
    let rig = open();
    rig.script.send(Next::Card).unwrap();
    only(&rig.select()).unwrap();
    let (running, queued) = (rig.exchange(), rig.exchange());
    rig.thread.abandon();
    assert_eq!(kind(&running), ErrorKind::Unresponsive);
    assert_eq!(kind(&queued), ErrorKind::Unresponsive);
    assert_eq!(rig.abandoned.count(), 1);

    // The driver comes back after all.
    rig.script.send(Next::Reply(Reply::Done)).unwrap();
    rig.script.send(Next::Reply(Reply::Done)).unwrap();
    assert_eq!(rig.ended.recv_timeout(LIMIT).unwrap(), "session");
    assert_eq!(rig.ended.recv_timeout(LIMIT).unwrap(), "encoder");
    let since = Instant::now();
    while rig.abandoned.count() != 0 {
        assert!(since.elapsed() < LIMIT, "it still counts as stuck");
        std::thread::yield_now();
    }
}

#[test]
fn an_abandoned_thread_is_left_alone() {
    let rig = open();
    let stop = Stop::default();
    let (answer, given) = answers();
    let _nudging = stop.nudge(|| panic!("a nudge reaches into what it is stuck in"));
    rig.thread.select(
        CardWait::Resting,
        Instant::now() + LIMIT,
        stop.clone(),
        answer,
    );
    rig.thread.abandon();
    assert_eq!(kind(&given), ErrorKind::Unresponsive);
    assert!(!stop.is_raised());
    rig.script.send(Next::NoCard).unwrap();
    assert_eq!(rig.ended.recv_timeout(LIMIT).unwrap(), "encoder");
}

#[test]
fn abandoning_while_it_opens_answers_too() {
    let (go, wait) = channel::<()>();
    let (opened, given) = answers();
    let abandoned = Abandoned::default();
    let thread = EncoderThread::start(
        "fake",
        &abandoned,
        move || {
            let _ = wait.recv();
            Err(Error::new(ErrorKind::Absent))
        },
        opened,
    );
    thread.abandon();
    assert_eq!(kind(&given), ErrorKind::Unresponsive);
    drop(go);
}

#[test]
fn whoever_gave_a_thread_up_is_told_when_it_comes_back() {
    let rig = open();
    rig.script.send(Next::Card).unwrap();
    only(&rig.select()).unwrap();
    let running = rig.exchange();
    let (tell, told) = channel();
    rig.thread.abandon_until(move || tell.send(()).unwrap());
    assert_eq!(kind(&running), ErrorKind::Unresponsive);
    assert!(told.try_recv().is_err(), "it is still stuck");
    rig.script.send(Next::Reply(Reply::Done)).unwrap();
    told.recv_timeout(LIMIT).unwrap();
    assert_eq!(rig.ended.try_recv().unwrap(), "session");
    assert_eq!(rig.ended.try_recv().unwrap(), "encoder");
    assert_eq!(rig.abandoned.count(), 0);
}

#[test]
fn dropping_the_handle_ends_a_wait_for_a_card_and_frees_the_encoder() {
    let rig = open();
    let selected = rig.select();
    drop(rig.thread);
    assert_eq!(kind(&selected), ErrorKind::Cancelled);
    assert_eq!(rig.ended.recv_timeout(LIMIT).unwrap(), "encoder");
    assert_eq!(rig.abandoned.count(), 0);
}

#[test]
fn closing_says_when_the_device_is_free() {
    let rig = open();
    rig.script.send(Next::Card).unwrap();
    only(&rig.select()).unwrap();
    let (closed, given) = answers();
    rig.thread.close(closed);
    only(&given).unwrap();
    assert_eq!(rig.ended.try_recv().unwrap(), "session");
    assert_eq!(rig.ended.try_recv().unwrap(), "encoder");
}

#[test]
fn a_stop_ends_the_wait() {
    let rig = open();
    let stop = Stop::default();
    let (answer, given) = answers();
    rig.thread.select(
        CardWait::Fresh,
        Instant::now() + LIMIT,
        stop.clone(),
        answer,
    );
    stop.raise();
    assert_eq!(kind(&given), ErrorKind::Cancelled);
}
