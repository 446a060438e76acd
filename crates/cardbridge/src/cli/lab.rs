//! `cardbridge lab`: the emulators by themselves, for whoever writes or tries software for encoders.

use std::net::SocketAddr;
use std::path::PathBuf;

use cardbridge::lab::{
    Lab, LabLockServer, LabSettings, LockServerShape, LockServerView, Name, http,
};
use clap::Args;
use emulator::Dialect;
use serde::Serialize;
use tokio::net::TcpListener;

use super::failure::Failure;
use super::output::Output;
use super::parse;
use super::shutdown::Shutdown;

/// Start virtual encoders, to be steered over HTTP, and nothing else.
///
/// Each encoder is a PN532 on a pseudo-terminal, a PC/SC reader behind a vpcd that runs already, or belongs to a lock
/// server of SALTO's or Onity's kind, which makes the cards itself for whoever asks it in the PMS Industry Standard
/// protocol and knows the rooms 101 to 199. Virtual cards are placed on them and taken away over HTTP on loopback:
///
///   GET    /encoders                          what there is, and the card on each
///   PUT    /encoders/{name}/card              {"technology":"mifare_classic_1k","uid":"04A1B2C3"}; "foreign":true
///                                             makes it somebody else's, "random_uid":true a DESFire or NTAG 424
///                                             DNA that makes up its UID, "beside":true leaves the cards that
///                                             lie there; a known UID keeps its memory
///   DELETE /encoders/{name}/card              ?after_exchanges=n waits for the n-th command to the card
///   POST   /encoders/{name}/unplug, /plug     the cable
///   PUT    /encoders/{name}/faults            [{"kind":"drop","at_exchange":3},
///                                              {"kind":"delay","ms":50,"rate":0.01,"seed":7}]
///                                             kinds: drop, delay, garble, truncate, nak, wrong_uid, stall,
///                                             duplicate, oversize; "at_frame":n counts frames in place of
///                                             exchanges, "way":"from_host" disturbs what the host sends;
///                                             [] is a sound wire again, and ends a stall
///   PUT    /encoders/{name}/timing            {"mode":"paced","baud":115200,"card":true} for the time that
///                                             line and cards would take; {"mode":"instant"}
///   GET    /encoders/{name}/log               exchanges, every write, faults that happened, and the time that
///                                             line and card would have taken
///   GET    /cards/{uid}/memory                the raw image; PUT replaces all but what makes the card this card;
///                                             409 for a DESFire or NTAG 424 DNA, which have files
///
/// Stops on Ctrl-C.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The name of an encoder with a PN532; may be given several times [default: front-desk].
    #[arg(long = "encoder", value_name = "NAME")]
    encoders: Vec<Name>,
    /// The name of a PC/SC reader and the loopback port of its vpcd; may be given several times.
    #[arg(long = "pcsc", value_name = "NAME=PORT", value_parser = parse::reader)]
    readers: Vec<(Name, u16)>,
    /// A lock server, the loopback port where its clients find it (0 for a free one, or `serial` for a serial port),
    /// and its encoders: SALTO's clients ask for them by name, Onity's by number from 1. May be given several times.
    #[arg(long = "lock-server", value_name = "DIALECT@PORT=NAME,…", value_parser = parse::lock_server)]
    lock_servers: Vec<LabLockServer>,
    /// Where to answer HTTP, on loopback.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = parse::loopback)]
    listen: SocketAddr,
    /// Where to put the serial ports; a folder of its own that goes with the lab, if not given.
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,
    /// Print one line of JSON as soon as the lab is ready.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Serialize)]
struct Ready {
    lab: String,
    encoders: Vec<ReadyEncoder>,
}

#[derive(Debug, Serialize)]
struct ReadyEncoder {
    name: Name,
    port: Option<PathBuf>,
    vpcd_port: Option<u16>,
    lock_server: Option<LockServerShape>,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let shutdown = Shutdown::on_signals()?;
    let folder = Folder::open(arguments.directory)?;
    let settings = LabSettings {
        serial: if arguments.readers.is_empty() && arguments.lock_servers.is_empty() {
            with_default(arguments.encoders)
        } else {
            arguments.encoders
        },
        readers: arguments.readers,
        lock_servers: arguments.lock_servers,
        directory: folder.path().to_owned(),
    };
    let lab = Lab::start(&settings).map_err(|error| Failure::from_error(error.kind(), &error))?;
    let listener = listen(arguments.listen).await?;
    let url = format!("http://{}", local_address(&listener)?);
    output.result(&ready(&lab, url.clone()), || in_words(&lab, &url))?;
    http::serve(listener, lab, None, shutdown.told())
        .await
        .map_err(|error| Failure::because("lab_failed", "the lab stopped answering", &error))
}

/// One encoder, unless somebody named some.
fn with_default(serial: Vec<Name>) -> Vec<Name> {
    if serial.is_empty() {
        vec!["front-desk".parse().expect("a slug")]
    } else {
        serial
    }
}

/// Opens a listening socket, or says what stands in the way.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let what =
            format!("{address} cannot be listened on; choose another port, or 0 for a free one");
        Failure::because("address_unavailable", what, &error)
    })
}

/// Where a listener listens.
pub(super) fn local_address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener
        .local_addr()
        .map_err(|error| Failure::because("address_unavailable", "the port cannot be told", &error))
}

fn ready(lab: &Lab, url: String) -> Ready {
    let encoders = lab.encoders().into_iter().map(|encoder| ReadyEncoder {
        name: encoder.name,
        port: encoder.port,
        vpcd_port: encoder.vpcd_port,
        lock_server: encoder.lock_server.map(LockServerShape::from),
    });
    Ready {
        lab: url,
        encoders: encoders.collect(),
    }
}

fn in_words(lab: &Lab, url: &str) -> String {
    let mut lines = vec![format!("The lab answers at {url}"), String::new()];
    let encoders = lab.encoders();
    for encoder in &encoders {
        let wire = match (&encoder.port, encoder.vpcd_port, &encoder.lock_server) {
            (Some(port), ..) => format!("PN532 at {}", port.display()),
            (None, Some(port), _) => format!("PC/SC reader of the vpcd at port {port}"),
            (None, None, Some(server)) => behind_server(server),
            (None, None, None) => String::new(),
        };
        lines.push(format!("  {:<16} {wire}", encoder.name.as_str()));
    }
    if let Some(first) = encoders.first() {
        let name = &first.name;
        lines.push(String::new());
        lines.push("Put a blank card on, and take it off:".to_owned());
        lines.push(format!(
            "  curl -X PUT {url}/encoders/{name}/card -d '{{\"technology\":\"mifare_classic_1k\",\"uid\":\"04A1B2C3\"}}'"
        ));
        lines.push(format!("  curl -X DELETE {url}/encoders/{name}/card"));
        lines.push(String::new());
        lines.push("Stop with Ctrl-C.".to_owned());
    }
    lines.join("\n")
}

fn behind_server(server: &LockServerView) -> String {
    let kind = match server.dialect {
        Dialect::Salto => "SALTO",
        Dialect::Onity => "Onity",
    };
    let place = match (&server.address, &server.port) {
        (Some(address), _) => address.to_string(),
        (None, Some(port)) => port.display().to_string(),
        (None, None) => String::new(),
    };
    format!(
        "encoder {} of the {kind} lock server at {place}",
        server.encoder
    )
}

/// The folder of the serial ports: a given one stays, an own one goes with the lab.
enum Folder {
    Given(PathBuf),
    Own(tempfile::TempDir),
}

impl Folder {
    fn open(given: Option<PathBuf>) -> Result<Self, Failure> {
        let opened = match given {
            Some(path) => std::fs::create_dir_all(&path).map(|()| Self::Given(path)),
            None => tempfile::Builder::new()
                .prefix("cardbridge-lab-")
                .tempdir()
                .map(Self::Own),
        };
        opened.map_err(|error| {
            let what =
                "the folder for the serial ports cannot be made; choose another with --directory";
            Failure::because("no_folder", what, &error)
        })
    }

    fn path(&self) -> &std::path::Path {
        match self {
            Self::Given(path) => path,
            Self::Own(folder) => folder.path(),
        }
    }
}
