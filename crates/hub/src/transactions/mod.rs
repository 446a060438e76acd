//! What is committed together: each function loads rows, asks `decisions`, applies the effects in one transaction and
//! wakes whom it concerns afterwards. Two of them never hold part of one truth.

pub(crate) mod begin;
pub(crate) mod change_credential;
pub(crate) mod connect;
pub(crate) mod delete_credential;
pub(crate) mod end;
pub(crate) mod grant;
pub(crate) mod keep_encoder;
pub(crate) mod new_credential;
pub(crate) mod not_granted;
pub(crate) mod outcome;
pub(crate) mod request;
