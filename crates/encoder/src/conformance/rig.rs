//! What a driver's author supplies: one encoder, the cards for it, and everything that can be done to them.

use std::time::Duration;

use super::Skip;
use crate::{Order, Settings};

/// One real or emulated encoder, plugged in, with no card on it, and cards to put on it.
///
/// What a rig cannot do it says, with the reason; the cases that need it are skipped. A verb that should work and does
/// not panics: that is a broken rig, not a broken driver. Verbs come back when what they do is done, as far as a driver
/// could see it.
pub trait Rig {
    /// The `[[encoder]]` entry by which the driver finds the device. It stays the same while the rig lives.
    fn settings(&self) -> Settings;

    /// Puts a card on the encoder, in place of whatever lies there.
    ///
    /// # Errors
    /// Skip: there is no such card, or nobody to put it on.
    fn place(&self, sample: Sample) -> Result<(), Skip>;

    /// Lays a card beside what lies there.
    ///
    /// # Errors
    /// Skip: the encoder, or its rig, has room for one.
    fn add(&self, _sample: Sample) -> Result<(), Skip> {
        Err(Skip::because("this rig cannot lay a card beside another"))
    }

    /// Takes off whatever lies there.
    ///
    /// # Errors
    /// Skip: nobody takes it off.
    fn remove(&self) -> Result<(), Skip>;

    /// Takes the card off at the n-th exchange from now, counted from 1, before the card answers.
    ///
    /// # Errors
    /// Skip: a hand is not that quick.
    fn remove_at(&self, _exchange: u64) -> Result<(), Skip> {
        Err(Skip::because(
            "this rig cannot take a card off in the midst of an exchange",
        ))
    }

    /// Makes a card what it was when the rig was made, wherever it lies.
    ///
    /// # Errors
    /// Skip: it is plastic.
    fn renew(&self, _sample: Sample) -> Result<(), Skip> {
        Err(Skip::because("this rig cannot make a card new again"))
    }

    /// What a card holds, in bytes that need not mean anything: equal if nothing was changed. Not read through the
    /// driver.
    ///
    /// # Errors
    /// Skip: there is no other way to read it.
    fn memory(&self, _sample: Sample) -> Result<Vec<u8>, Skip> {
        Err(Skip::because("this rig cannot look into a card"))
    }

    /// How many exchanges reached a card so far; selecting is none.
    ///
    /// # Errors
    /// Skip: nothing counts them.
    fn exchanges(&self) -> Result<u64, Skip> {
        Err(Skip::because("this rig does not count exchanges"))
    }

    /// How many times a card was written to so far.
    ///
    /// # Errors
    /// Skip: nothing counts them.
    fn writes(&self) -> Result<u64, Skip> {
        Err(Skip::because("this rig does not count writes"))
    }

    /// Spoils the n-th frame from now, counted from 1, that the device sends. Replaces a fault that was still to come.
    ///
    /// # Errors
    /// Skip: the wire cannot be reached, or has no such fault.
    fn fault(&self, _kind: FaultKind, _frame: u64) -> Result<(), Skip> {
        Err(Skip::because("this rig cannot spoil what the device sends"))
    }

    /// Forgets a fault that was still to come.
    ///
    /// # Errors
    /// Skip: as [`fault`](Self::fault).
    fn mend(&self) -> Result<(), Skip> {
        Err(Skip::because("this rig cannot spoil what the device sends"))
    }

    /// How many frames the device has sent so far.
    ///
    /// # Errors
    /// Skip: nothing counts them.
    fn frames(&self) -> Result<u64, Skip> {
        Err(Skip::because("this rig does not count frames"))
    }

    /// How many faults took effect so far.
    ///
    /// # Errors
    /// Skip: nothing counts them.
    fn faults_happened(&self) -> Result<u64, Skip> {
        Err(Skip::because("this rig does not count faults"))
    }

    /// Pulls the cable of the device, or does whatever else makes it vanish from this computer.
    ///
    /// # Errors
    /// Skip: there is nobody to pull it.
    fn unplug(&self) -> Result<(), Skip> {
        Err(Skip::because("this rig cannot pull the device's cable"))
    }

    /// Plugs it in again; whatever had stopped answering answers again.
    ///
    /// # Errors
    /// Skip: there is nobody to plug it in.
    fn plug(&self) -> Result<(), Skip> {
        Err(Skip::because("this rig cannot plug the device in"))
    }

    /// What the lock server is to issue. Only rigs of issuing encoders are asked.
    ///
    /// # Errors
    /// Skip: the server has no room to spare.
    fn order(&self) -> Result<Order, Skip> {
        Err(Skip::because("this rig has no lock server"))
    }

    /// How long an answer of the driver may take before it counts as hung. Generous: it is over only when something
    /// is broken.
    fn patience(&self) -> Duration {
        Duration::from_secs(20)
    }
}

/// The cards of a rig.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sample {
    /// A card as delivered, of a technology that the encoder can write.
    First,
    /// One more of the same technology.
    Second,
    /// One of the same technology in use by somebody else, with keys that nobody here knows.
    Foreign,
    /// One that the encoder sees and that cannot hold a credential here, or that it does not see at all.
    Unsupported,
}

/// What happens to a frame on its way from the device to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// It is lost.
    Lost,
    /// It comes so much later.
    Late(Duration),
    /// Bytes of it are others.
    Garbage,
    /// It ends too early.
    Truncated,
    /// It announces, or has, more than its protocol allows.
    Oversize,
    /// It comes twice.
    Duplicate,
    /// Neither it nor anything after it comes, until the device was unplugged and plugged in.
    Silence,
}
