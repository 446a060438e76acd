//! Opening a serial port for this program alone.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use encoder::serial::{SerialPorts, permitted};
use serialport::SerialPort;

use crate::error::Pn532Error;
use crate::speed::RESET;

/// Opens a port for this program alone (TIOCEXCL and a lock, which `serialport` takes by default).
pub(crate) fn open(ports: &SerialPorts, path: &Path) -> Result<Box<dyn SerialPort>, Pn532Error> {
    let here = path.to_owned();
    match fs::metadata(path) {
        Ok(metadata) if metadata.file_type().is_char_device() => {}
        Ok(_) => return Err(Pn532Error::NotSerial { path: here }),
        Err(_) => return Err(Pn532Error::NoPort { path: here }),
    }
    let name = path
        .to_str()
        .ok_or_else(|| Pn532Error::NotSerial { path: here.clone() })?;
    use serialport::ErrorKind::{Io, NoDevice};
    use std::io::ErrorKind::{NotFound, PermissionDenied};
    serialport::new(name, RESET.baud)
        .open()
        .map_err(|source| match source.kind {
            // How `serialport` reports EBUSY and a lock that is taken.
            NoDevice => Pn532Error::Held {
                holder: ports.holder(path),
                path: here,
            },
            Io(PermissionDenied) => Pn532Error::NotPermitted {
                who: permitted(path),
                path: here,
            },
            Io(NotFound) => Pn532Error::NoPort { path: here },
            _ => Pn532Error::SetUp { path: here, source },
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_serial_port_is_not_opened() {
        let ports = SerialPorts::default();
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("ttyUSB0");
        assert!(matches!(
            open(&ports, &path),
            Err(Pn532Error::NoPort { .. })
        ));
        fs::write(&path, "").unwrap();
        assert!(matches!(
            open(&ports, &path),
            Err(Pn532Error::NotSerial { .. })
        ));
        assert!(matches!(
            open(&ports, Path::new("/dev/null")),
            Err(Pn532Error::SetUp { .. })
        ));
    }
}
