//! The card formats: a credential as bytes and back.

pub(crate) mod rfid48;
