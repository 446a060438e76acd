//! The commands of a plan for a DESFire: what is missing of the application, then the new content and its commit.
//!
//! What is suspect elsewhere is not here: a backup file switches as a whole or not at all.

use super::{
    APPLICATION, Area, CAPACITY, CHANGE_ORDER, FILE_SETTINGS, KEY_SETTINGS, KEYS, MASTER_KEY,
    MEMORY, Made, WRITE_KEY, application,
};
use crate::card_bytes::CardBytes;
use crate::placing::CopyIndex;
use crate::plan::{Course, Draft, Plan, Work as AnyWork};
use crate::secure::{KeyUse, Operation, Secret, Work, refuse_too_long};
use crate::{KeyVersion, Refusal, Sequence, Suspects};

/// Plans for a DESFire.
///
/// # Errors
/// As [`plan`](crate::plan()).
pub(crate) fn plan(draft: &Draft<'_>, area: &Area) -> Result<Plan, Refusal> {
    let technology = draft.inspected.technology;
    refuse_too_long(draft.credential, CAPACITY, technology)?;
    let done = |outline, operations| Plan {
        outline,
        work: AnyWork::Application(Work {
            application: application(technology),
            open: area.open.clone(),
            operations,
        }),
    };
    let draft = Draft {
        suspects: Suspects::NONE,
        ..*draft
    };
    let (sequence, mut operations) = match draft.course()? {
        Course::Keep {
            copy,
            sequence,
            digest,
        } => {
            let outline = draft.outline_kept(copy, sequence, digest);
            return Ok(done(outline, Vec::new()));
        }
        Course::Replace { sequence, .. } => (sequence, Vec::new()),
        Course::StartOver => (Sequence::FIRST, prepare(&draft, area)?),
    };
    let image = draft.seal(CopyIndex::A, sequence)?;
    let outline = draft.outline(CopyIndex::A, sequence, draft.digest(&image));
    let bytes = CardBytes::new(image.bytes().to_vec());
    operations.extend([
        Operation::WriteData {
            offset: 0,
            bytes: bytes.clone(),
        },
        Operation::Commit,
        Operation::ReadBack {
            offset: 0,
            expected: bytes,
        },
    ]);
    Ok(done(outline, operations))
}

/// What is missing of the application, up to the session in which its file is written.
fn prepare(draft: &Draft<'_>, area: &Area) -> Result<Vec<Operation>, Refusal> {
    let mut operations = Vec::new();
    let (missing, version) = match &area.made {
        Made::Whole => return Ok(operations),
        Made::Nothing { free_memory } => {
            refuse_full(*free_memory)?;
            operations.extend([
                Operation::CreateApplication {
                    id: APPLICATION,
                    settings: KEY_SETTINGS,
                    keys: KEYS,
                },
                Operation::Select,
                Operation::Authenticate(KeyUse {
                    number: MASTER_KEY,
                    secret: Secret::Delivery,
                }),
            ]);
            (&CHANGE_ORDER[..], draft.keys.newest())
        }
        Made::Keys { missing, version } => (&missing[..], *version),
        Made::NoFile { version } => (&[][..], *version),
    };
    for number in missing {
        operations.push(Operation::ChangeKey {
            number: *number,
            version,
        });
    }
    // The last change was that of the key which had opened the session, and so ended it.
    if !missing.is_empty() {
        operations.push(authenticate(MASTER_KEY, version));
    }
    operations.push(Operation::CreateFile(FILE_SETTINGS));
    operations.push(authenticate(WRITE_KEY, version));
    Ok(operations)
}

fn authenticate(number: u8, version: KeyVersion) -> Operation {
    Operation::Authenticate(KeyUse {
        number,
        secret: Secret::Site(version),
    })
}

fn refuse_full(free_memory: Option<usize>) -> Result<(), Refusal> {
    match free_memory {
        Some(free) if free < MEMORY => Err(Refusal::DoesNotFit {
            detail: format!(
                "the card has {free} bytes of memory left and an application of this site takes more than {MEMORY}; use another card"
            ),
        }),
        _ => Ok(()),
    }
}
