//! Whether an encoder takes an attempt (DESIGN invariant 8). Pure.
//!
//! What is wrong with the state of the world becomes an attempt that ends at once; only what the caller can change by
//! waiting (a full queue, an encode elsewhere) is refused.

use std::time::Duration;

use protocol::link::AttemptError;

use crate::attempt_error;
use crate::decisions::site_keys::SiteKeys;
use crate::moment::Moment;
use crate::settings::HubSettings;
use crate::store::attempts::Attempt;
use crate::store::credentials::Credential;
use crate::store::encoders::Encoder;

/// Whether a bridge can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Connected, or gone for so short a time that it is waited for.
    Present,
    /// Gone.
    Gone,
}

/// An encoder and what waits for it.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) encoder: &'a Encoder,
    pub(crate) presence: Presence,
    /// Whether its bridge has the newest key of the site.
    pub(crate) site_keys: SiteKeys,
    /// Attempts that are still pending on it.
    pub(crate) pending: u32,
    pub(crate) queue_limit: u32,
}

/// What becomes of a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Admission {
    /// The same is being done already: that attempt is the answer.
    Existing,
    /// The attempt waits behind `places_before` others.
    Begin { places_before: u32 },
    /// The attempt ends with this error.
    EndAtOnce(AttemptError),
    /// Refused: the queue is full.
    Busy,
    /// Refused: the credential is being encoded on another encoder.
    EncodingElsewhere,
}

/// Whether a credential may be encoded here; `pending` is its pending attempt.
pub(crate) fn admit_encode(
    desk: &Desk<'_>,
    credential: &Credential,
    pending: Option<&Attempt>,
    now: Moment,
) -> Admission {
    if let Some(pending) = pending {
        return if pending.acs_encoder_id == desk.encoder.acs_encoder_id {
            Admission::Existing
        } else {
            Admission::EncodingElsewhere
        };
    }
    if credential.is_deleted() {
        return Admission::EndAtOnce(attempt_error::credential_deleted());
    }
    if let Some(ended_at) = credential.ends_at.filter(|end| *end <= now) {
        return Admission::EndAtOnce(attempt_error::credential_ended(ended_at));
    }
    match (admit_scan(desk), attempt_error::site_keys(desk.site_keys)) {
        // A PC that is not there, or whose encoder is not, has told nothing yet of the keys that it will come with.
        (ends @ Admission::EndAtOnce(_), _) | (ends, None) => ends,
        (_, Some(error)) => Admission::EndAtOnce(error),
    }
}

/// Whether a card may be scanned here.
pub(crate) fn admit_scan(desk: &Desk<'_>) -> Admission {
    if desk.presence == Presence::Gone {
        return Admission::EndAtOnce(attempt_error::bridge_disconnected());
    }
    if !desk.encoder.is_online {
        let reason = desk.encoder.reason.as_deref();
        return Admission::EndAtOnce(attempt_error::encoder_not_online(reason));
    }
    if desk.pending >= desk.queue_limit {
        return Admission::Busy;
    }
    Admission::Begin {
        places_before: desk.pending,
    }
}

/// How long an attempt may take: the turns before its own, its own, and the way there and back (DESIGN §6).
pub(crate) fn time_limit(settings: &HubSettings, places_before: u32) -> Duration {
    let turn = settings.card_wait + settings.write_bound;
    turn * (places_before + 1) + settings.deadline_margin
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::rows;

    fn desk(encoder: &Encoder) -> Desk<'_> {
        Desk {
            encoder,
            presence: Presence::Present,
            site_keys: SiteKeys::Newest,
            pending: 0,
            queue_limit: 8,
        }
    }

    fn error_of(admission: Admission) -> String {
        match admission {
            Admission::EndAtOnce(error) => error.kind,
            other => panic!("expected an end, got {other:?}"),
        }
    }

    #[test]
    fn a_free_encoder_begins_at_once_and_a_busy_one_queues() {
        let encoder = rows::encoder(1);
        let credential = rows::credential(1);
        for pending in [0, 1, 7] {
            let desk = Desk {
                pending,
                ..desk(&encoder)
            };
            assert_eq!(
                admit_encode(&desk, &credential, None, rows::NOW),
                Admission::Begin {
                    places_before: pending
                }
            );
        }
        let full = Desk {
            pending: 8,
            ..desk(&encoder)
        };
        assert_eq!(
            admit_encode(&full, &credential, None, rows::NOW),
            Admission::Busy
        );
        assert_eq!(admit_scan(&full), Admission::Busy);
    }

    #[test]
    fn a_credential_is_encoded_once_at_a_time() {
        let (here, there) = (rows::encoder(1), rows::encoder(2));
        let credential = rows::credential(1);
        let pending = rows::encode(1, &here, &credential);
        let ask = |encoder| admit_encode(&desk(encoder), &credential, Some(&pending), rows::NOW);
        assert_eq!(ask(&here), Admission::Existing);
        assert_eq!(ask(&there), Admission::EncodingElsewhere);
    }

    #[test]
    fn what_cannot_work_ends_at_once_with_its_name() {
        let mut encoder = rows::encoder(1);
        let mut credential = rows::credential(1);
        let gone = Desk {
            presence: Presence::Gone,
            ..desk(&encoder)
        };
        assert_eq!(error_of(admit_scan(&gone)), "bridge_disconnected");
        let stranger = Desk {
            site_keys: SiteKeys::Differ,
            ..desk(&encoder)
        };
        let admission = admit_encode(&stranger, &credential, None, rows::NOW);
        assert_eq!(error_of(admission), "uncategorized_error");
        assert_eq!(admit_scan(&stranger), Admission::Begin { places_before: 0 });
        let away = Desk {
            presence: Presence::Gone,
            ..stranger
        };
        let admission = admit_encode(&away, &credential, None, rows::NOW);
        assert_eq!(error_of(admission), "bridge_disconnected");

        credential.deleted_at = Some(rows::NOW);
        let admission = admit_encode(&desk(&encoder), &credential, None, rows::NOW);
        assert_eq!(error_of(admission), "credential_deleted");

        credential.deleted_at = None;
        credential.ends_at = Some(rows::NOW);
        let admission = admit_encode(&desk(&encoder), &credential, None, rows::NOW);
        assert_eq!(error_of(admission), "uncategorized_error");

        encoder.is_online = false;
        assert_eq!(error_of(admit_scan(&desk(&encoder))), "encoder_not_online");
    }

    #[test]
    fn the_time_limit_grows_with_the_queue() {
        let settings = HubSettings::new("unused");
        assert_eq!(time_limit(&settings, 0), Duration::from_secs(30 + 10 + 10));
        assert_eq!(time_limit(&settings, 2), Duration::from_secs(3 * 40 + 10));
    }
}
