//! The one list of drivers: what the program and the tests of real rigs are built with.

use driver_lock_server::LockServerDriver;
use driver_pcsc::PcscDriver;
use driver_pn532::Pn532Driver;
use encoder::Registry;

/// Every driver there is.
#[must_use]
pub fn registry() -> Registry {
    Registry::new()
        .with(Pn532Driver::default())
        .with(PcscDriver::default())
        .with(LockServerDriver::default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_two_drivers_share_a_name() {
        let registry = super::registry();
        let names: BTreeSet<_> = registry.drivers().map(|driver| driver.name()).collect();
        assert_eq!(names.len(), registry.drivers().count());
        for name in names {
            assert!(registry.driver(name).is_some());
        }
    }
}
