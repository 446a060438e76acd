//! What the hub decides, as pure functions: rows and an event in, a verdict or effects out. No clock, no database, no
//! network; `transactions` loads the rows before and applies the effects after, in one commit.

pub(crate) mod admission;
pub(crate) mod card_image;
pub(crate) mod card_order;
pub(crate) mod grant;
pub(crate) mod outcome;
pub(crate) mod scan;
pub(crate) mod site_keys;

#[cfg(test)]
pub(crate) mod rows;
