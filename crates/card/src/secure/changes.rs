//! What a plan for a card with native commands would change: application, keys, file, content.

use super::write::{Operation, Work};
use crate::changes::{Change, Content, Contents, tag};
use crate::plan::Outline;

/// Everything that the plan writes, in the order of writing.
pub(crate) fn changes(work: &Work, outline: &Outline, read: &Contents) -> Vec<Change> {
    let file = work.application.file;
    let mut changes = Vec::new();
    for operation in &work.operations {
        changes.push(match operation {
            Operation::CreateApplication { id, settings, keys } => Change {
                location: format!(
                    "application {:02X}{:02X}{:02X} (key settings, number and type of keys)",
                    id[0], id[1], id[2]
                ),
                before: Some(Content::Absent),
                after: Content::shown(&[*settings, *keys]),
            },
            Operation::ChangeKey { number, version } => Change {
                location: format!("key {number} (version {})", version.get()),
                before: Some(Content::secret(16)),
                after: Content::secret(16),
            },
            Operation::CreateFile(settings) => Change {
                location: format!("file {file} (communication, access rights, size)"),
                before: Some(Content::Absent),
                after: Content::shown(settings),
            },
            Operation::WriteData { offset, bytes } => {
                let length = bytes.bytes().len();
                let range = *offset..offset + length;
                let is_void = bytes.bytes().iter().all(|byte| *byte == 0);
                let after = Content::shown(bytes.bytes());
                Change {
                    location: format!("file {file}, bytes {offset} to {}", range.end - 1),
                    before: read.at(file).and_then(|content| content.part(range)),
                    after: if is_void {
                        after
                    } else {
                        after.hiding(tag(outline.image_length))
                    },
                }
            }
            Operation::Select
            | Operation::Authenticate(_)
            | Operation::Commit
            | Operation::ReadBack { .. } => continue,
        });
    }
    changes
}
