//! Tokens: how they are made, kept and compared. A token is shown once; the store has SHA-256 of its long part.
//!
//! The long part is 32 random bytes, so a plain hash is enough; it is compared in constant time.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const SHORT_BYTES: usize = 6;
const LONG_BYTES: usize = 32;

/// Which door a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// `seam_…`, for the API. The short part is hex, so the key never begins with `seam_at`, `seam_cst` or `seam_pk`,
    /// which SDKs take for other kinds.
    ApiKey,
    /// `bridge_…`, for the link.
    Bridge,
}

impl TokenKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::ApiKey => "seam",
            Self::Bridge => "bridge",
        }
    }
}

/// A token that was just made.
pub(crate) struct NewToken {
    /// What is shown once.
    pub(crate) token: String,
    /// What finds it.
    pub(crate) short: String,
    /// What it is compared with.
    pub(crate) hash: Vec<u8>,
}

impl NewToken {
    /// Makes a token of that kind.
    pub(crate) fn new(kind: TokenKind) -> Result<Self, getrandom::Error> {
        let mut short = [0; SHORT_BYTES];
        let mut long = [0; LONG_BYTES];
        getrandom::fill(&mut short)?;
        getrandom::fill(&mut long)?;
        let (short, long) = (hex::encode(short), hex::encode(long));
        Ok(Self {
            token: format!("{}_{short}_{long}", kind.prefix()),
            hash: hash(&long),
            short,
        })
    }
}

/// A token as it was presented.
pub(crate) struct PresentedToken<'a> {
    /// What finds its row.
    pub(crate) short: &'a str,
    long: &'a str,
}

impl<'a> PresentedToken<'a> {
    /// Takes a token apart; `None` when it is not one of that kind.
    pub(crate) fn parse(kind: TokenKind, token: &'a str) -> Option<Self> {
        let (short, long) = token
            .strip_prefix(kind.prefix())?
            .strip_prefix('_')?
            .split_once('_')?;
        Some(Self { short, long })
    }

    /// Whether it is the token of that row.
    pub(crate) fn matches(&self, stored_hash: &[u8]) -> bool {
        hash(self.long).ct_eq(stored_hash).into()
    }
}

fn hash(long: &str) -> Vec<u8> {
    Sha256::digest(long.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_matches_its_hash_and_no_other() {
        let made = NewToken::new(TokenKind::ApiKey).unwrap();
        let other = NewToken::new(TokenKind::ApiKey).unwrap();
        let presented = PresentedToken::parse(TokenKind::ApiKey, &made.token).unwrap();
        assert_eq!(presented.short, made.short);
        assert!(presented.matches(&made.hash));
        assert!(!presented.matches(&other.hash));
        assert!(!presented.matches(&[]));
    }

    #[test]
    fn an_api_key_is_never_taken_for_another_kind_by_an_sdk() {
        for _ in 0..100 {
            let token = NewToken::new(TokenKind::ApiKey).unwrap().token;
            assert!(token.starts_with("seam_"));
            for other in ["seam_at", "seam_cst", "seam_pk"] {
                assert!(!token.starts_with(other));
            }
        }
    }

    #[test]
    fn a_token_of_one_kind_is_none_of_the_other() {
        let bridge = NewToken::new(TokenKind::Bridge).unwrap().token;
        assert!(PresentedToken::parse(TokenKind::ApiKey, &bridge).is_none());
        for token in ["", "seam", "seam_", "seam_abc", "bridge_a_b"] {
            assert!(
                PresentedToken::parse(TokenKind::ApiKey, token).is_none(),
                "{token}"
            );
        }
    }
}
