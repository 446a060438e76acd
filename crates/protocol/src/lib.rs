//! The JSON on every wire: the API's resources, action attempts and events, and the messages of the link.
//!
//! Shapes only. What they mean is decided in `hub` and `bridge`; golden files under `tests/golden` freeze them.

pub mod api;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod link;
