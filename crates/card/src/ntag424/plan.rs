//! The commands of a plan for an NTAG 424 DNA.

use super::{APPLICATION, Area, CAPACITY, WRITE_KEY, range};
use crate::card_bytes::CardBytes;
use crate::format::Image;
use crate::placing::CopyIndex;
use crate::plan::{Course, Draft, Plan, Work as AnyWork};
use crate::secure::{KeyUse, Operation, Secret, Work, refuse_too_long};
use crate::{CardFormat, Refusal, Sequence};

/// Plans for an NTAG 424 DNA.
///
/// # Errors
/// As [`plan`](crate::plan()).
pub(crate) fn plan(draft: &Draft<'_>, area: &Area) -> Result<Plan, Refusal> {
    refuse_too_long(draft.credential, CAPACITY, APPLICATION.technology)?;
    let done = |outline, operations| Plan {
        outline,
        work: AnyWork::Application(Work {
            application: APPLICATION,
            open: area.open.clone(),
            operations,
        }),
    };
    match draft.course()? {
        Course::Keep {
            copy,
            sequence,
            digest,
        } => {
            let mut operations = Vec::new();
            if draft.has_to_go(copy.other()) {
                void(&mut operations, copy.other());
            }
            Ok(done(draft.outline_kept(copy, sequence, digest), operations))
        }
        Course::Replace { target, sequence } => {
            let image = draft.seal(target, sequence)?;
            let mut operations = Vec::new();
            write(&mut operations, target, &image, draft.credential.format);
            if draft.has_to_go(target.other()) {
                void(&mut operations, target.other());
            }
            let outline = draft.outline(target, sequence, draft.digest(&image));
            Ok(done(outline, operations))
        }
        Course::StartOver => {
            let on = |target: CopyIndex| {
                let image = draft.seal(target, Sequence::FIRST)?;
                let mut operations = prepare(area);
                if draft.has_to_go_before_start(target) {
                    void(&mut operations, target.other());
                }
                write(&mut operations, target, &image, draft.credential.format);
                let outline = draft.outline(target, Sequence::FIRST, draft.digest(&image));
                Ok(done(outline, operations))
            };
            let (a, b) = (on(CopyIndex::A)?, on(CopyIndex::B)?);
            Ok(if b.steps() < a.steps() { b } else { a })
        }
    }
}

/// The keys that are missing, up to the session in which the file is written.
fn prepare(area: &Area) -> Vec<Operation> {
    let version = area.version;
    let mut operations: Vec<Operation> = area
        .missing
        .iter()
        .map(|number| Operation::ChangeKey {
            number: *number,
            version,
        })
        .collect();
    if !operations.is_empty() {
        operations.push(Operation::Authenticate(KeyUse {
            number: WRITE_KEY,
            secret: Secret::Site(version),
        }));
    }
    operations
}

/// Writes a copy in one command and reads it back: an `rfid48` as it is, a `TLCode` with zeros up to the copy's end.
fn write(operations: &mut Vec<Operation>, copy: CopyIndex, image: &Image, format: CardFormat) {
    let mut bytes = image.bytes().to_vec();
    if format == CardFormat::TlCode {
        bytes.resize(CAPACITY, 0);
    }
    put(operations, copy, CardBytes::new(bytes));
}

/// Voids a copy. Its first 16 bytes would do; the whole takes no exchange more and leaves nothing that could come back.
fn void(operations: &mut Vec<Operation>, copy: CopyIndex) {
    put(operations, copy, CardBytes::new(vec![0; CAPACITY]));
}

fn put(operations: &mut Vec<Operation>, copy: CopyIndex, bytes: CardBytes) {
    let offset = range(copy).start;
    operations.push(Operation::WriteData {
        offset,
        bytes: bytes.clone(),
    });
    operations.push(Operation::ReadBack {
        offset,
        expected: bytes,
    });
}
