//! What passes on the line, noted for a recording without what is secret in it.

use encoder::{Direction, Recorder};

use crate::secrets::{self, Mask};

/// Frame identifier and command code come before a command's parameters: `00 00 FF LEN LCS D4`.
const HEAD: usize = 6;
/// So many bytes more in an extended frame.
const EXTENDED: usize = 3;

/// Notes what passes, if anybody wants to know.
pub(crate) struct Tape {
    recorder: Option<Recorder>,
    mask: Mask,
    /// What comes now is card data.
    answer_is_secret: bool,
}

impl Tape {
    pub(crate) fn new(recorder: Option<Recorder>) -> Self {
        Self {
            recorder,
            mask: Mask::default(),
            answer_is_secret: false,
        }
    }

    /// A command goes out, in its frame. Until the answers to earlier ones have all come (`is_alone`), what is still to
    /// come is as secret as those are.
    pub(crate) fn command(&mut self, command: &[u8], frame: &[u8], is_alone: bool) {
        let secrets = secrets::of(command);
        self.answer_is_secret = secrets.answer || !is_alone && self.answer_is_secret;
        let Some(recorder) = &self.recorder else {
            return;
        };
        let is_extended = command.len() + 1 > 0xFF;
        let at = HEAD + if is_extended { EXTENDED } else { 0 };
        let bytes = secrets.command.start + at..secrets.command.end + at;
        // The checksum tells of what it sums up.
        let checksum = match secrets.command.is_empty() {
            true => 0..0,
            false => frame.len() - 2..frame.len() - 1,
        };
        recorder.note(Direction::ToDevice, frame, &[bytes, checksum]);
    }

    /// Bytes go out that carry nothing.
    pub(crate) fn sent(&self, bytes: &[u8]) {
        if let Some(recorder) = &self.recorder {
            recorder.note(Direction::ToDevice, bytes, &[]);
        }
    }

    /// Bytes came.
    pub(crate) fn received(&mut self, bytes: &[u8]) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let parts = self.mask.secret_parts(bytes);
        let secret = if self.answer_is_secret {
            &parts[..]
        } else {
            &[]
        };
        recorder.note(Direction::FromDevice, bytes, secret);
    }
}
