//! Clients that hold a connection and say nothing.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::bridge::{Bridge, IDENTITY};
use crate::support::{GENEROUS, World};

#[tokio::test]
async fn a_client_that_does_not_finish_its_request_is_hung_up_on() {
    let world =
        World::start_with(|settings| settings.head_limit = Duration::from_millis(100)).await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let mut bridge = Bridge::connect(&world, &token).await;
    let address = world.endpoint.strip_prefix("http://").unwrap();
    for said in [
        "",
        "POST /acs/users/create HTTP/1.1\r\nHost: localhost\r\nX-A: ",
        "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(GENEROUS, client.read_to_end(&mut answer))
            .await
            .expect("the hub hangs up")
            .unwrap();
        assert_eq!(
            answer.starts_with(b"HTTP/1.1 200"),
            said.ends_with("\r\n\r\n")
        );
    }
    // A link has no heads: it lives on.
    world.scan(&bridge.encoder_id(IDENTITY)).await;
    bridge.hear_offer().await;
    world.end().await;
}
