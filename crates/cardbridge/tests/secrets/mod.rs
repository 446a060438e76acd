//! What the log must not tell, however much of it somebody asks for.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::process::{Running, cardbridge};
use crate::{SITE, configuration};

#[test]
fn no_log_shows_the_bridges_token_or_the_api_key() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("hub.sqlite");
    let mut init = cardbridge();
    init.args(["admin", "init", "--json", "--log", "trace", "--database"]);
    let init = init.arg(&database).output().unwrap();
    let made: Value = serde_json::from_slice(&init.stdout).unwrap();
    let secrets = ["bridge_token", "api_key"].map(|name| made[name].as_str().unwrap());

    let mut hub = cardbridge();
    hub.args(["hub", "--json", "--log", "trace", "--listen", "127.0.0.1:0"]);
    let mut hub = Running::start(hub.arg("--database").arg(&database));
    let ready: Value = serde_json::from_str(&hub.first_line()).unwrap();
    let endpoint = ready["endpoint"].as_str().unwrap();
    let listed = ask_with_key(endpoint, secrets[1]);
    assert!(listed.starts_with("HTTP/1.1 200"), "{listed}");

    let token = secrets[0];
    let (_folder, path) = configuration(&format!(
        "{SITE}[hub]\nurl = \"{endpoint}\"\ntoken = \"{token}\"\n\
         [bridge]\nstate_dir = \"state\"\ndiscover = false\n"
    ));
    // A filter that names the library outright opens it no further.
    let filter = "trace,tungstenite=trace,tungstenite::handshake::client=trace";
    let mut bridge = cardbridge();
    bridge.args(["run", "--log", filter, "--config", &path]);
    let mut bridge = Running::start(&mut bridge);
    bridge.says("linked to the hub");

    let logs = [bridge.terminate().stderr, hub.terminate().stderr];
    let init = String::from_utf8(init.stderr).unwrap();
    for log in logs.iter().chain([&init]) {
        for secret in secrets {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }
}

/// Asks the API for its sites, and returns the whole answer.
fn ask_with_key(endpoint: &str, key: &str) -> String {
    let address = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /acs/systems/list HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
