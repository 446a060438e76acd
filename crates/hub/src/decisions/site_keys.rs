//! Whether a bridge may encode with the site keys that it has (CARDS §5). Pure.
//!
//! The hub sees check values only. A key is rolled PC by PC: a newer version raises the site's, and from then on a PC
//! without it must not encode, because the doors are on their way to the new one.

use protocol::link::SiteKeyCheck;

use crate::store::bridges::Bridge;

/// How the site keys of a bridge stand to those of its site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SiteKeys {
    /// It has the site's newest.
    Newest,
    /// It has the site's, but not the newest.
    Behind { has: u8, newest: u8 },
    /// A version is another key than the site's, or none is in common.
    Differ,
}

/// What a hello's site keys add to those of the site; `None` when they are not the site's. Without a version in common
/// nothing shows that they are.
pub(crate) fn additions(site: &[SiteKeyCheck], told: &[SiteKeyCheck]) -> Option<Vec<SiteKeyCheck>> {
    let (mut additions, mut in_common) = (Vec::new(), false);
    for key in told {
        match site.iter().find(|known| known.version == key.version) {
            None => additions.push(key.clone()),
            Some(known) if known.check.eq_ignore_ascii_case(&key.check) => in_common = true,
            Some(_) => return None,
        }
    }
    (in_common || site.is_empty()).then_some(additions)
}

/// Judges a bridge by its last hello and what the site has by now.
pub(crate) fn judge(bridge: &Bridge) -> SiteKeys {
    if !bridge.site_key_agrees {
        SiteKeys::Differ
    } else if bridge.newest_site_key < bridge.newest_of_site {
        SiteKeys::Behind {
            has: bridge.newest_site_key,
            newest: bridge.newest_of_site,
        }
    } else {
        SiteKeys::Newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::rows;
    use crate::id::{BridgeId, SiteId};

    fn keys(keys: &[(u8, &str)]) -> Vec<SiteKeyCheck> {
        keys.iter()
            .map(|(version, check)| SiteKeyCheck {
                version: *version,
                check: (*check).to_owned(),
            })
            .collect()
    }

    #[test]
    fn the_first_bridge_of_a_site_brings_its_keys_and_the_next_must_agree() {
        let first = keys(&[(1, "aa"), (2, "bb")]);
        assert_eq!(additions(&[], &first), Some(first.clone()));
        for (told, adds) in [
            (keys(&[(1, "aa")]), Some(keys(&[]))),
            (keys(&[(2, "BB")]), Some(keys(&[]))),
            (keys(&[(2, "bb"), (3, "cc")]), Some(keys(&[(3, "cc")]))),
            (keys(&[(1, "aa"), (2, "xx")]), None),
            (keys(&[(1, "xx"), (3, "cc")]), None),
            (keys(&[(3, "cc")]), None),
        ] {
            assert_eq!(additions(&first, &told), adds, "{told:?}");
        }
    }

    #[test]
    fn a_bridge_without_the_newest_version_is_behind() {
        for (site_key_agrees, newest_site_key, judged) in [
            (true, 2, SiteKeys::Newest),
            (true, 1, SiteKeys::Behind { has: 1, newest: 2 }),
            (false, 2, SiteKeys::Differ),
        ] {
            let bridge = Bridge {
                bridge_id: BridgeId(rows::uuid(1)),
                acs_system_id: SiteId(rows::uuid(1)),
                site_key_agrees,
                newest_site_key,
                newest_of_site: 2,
            };
            assert_eq!(judge(&bridge), judged);
        }
    }
}
