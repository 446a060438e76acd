//! An encoder that carries its identity along, and two PCs of one site.

use std::time::Duration;

use protocol::link::{EncoderFence, EncoderState, FromBridge, FromHub, HeldEncoder, IdentityScope};
use serde_json::json;

use crate::support::bridge::{Bridge, CARD, Luggage, accepted, encoder, report_of, unwritten};
use crate::support::{GENEROUS, World, world_with_token};

const SERIAL: &str = "pn532:serial:A50285BI";

fn travelling(is_online: bool) -> EncoderState {
    EncoderState {
        identity_scope: IdentityScope::Site,
        ..encoder(SERIAL, "Front Desk", is_online)
    }
}

/// A PC that has this encoder, plugged in or not.
fn with(pc: &str, is_online: bool) -> Luggage {
    let mut luggage = Luggage::default();
    luggage.hello.name = pc.to_owned();
    luggage.snapshot.encoders = vec![travelling(is_online)];
    luggage
}

async fn second_token(world: &World) -> String {
    let token = world.admin.create_bridge_token(world.site, "back office");
    token.await.unwrap()
}

async fn tell(bridge: &mut Bridge, is_online: bool) -> FromHub {
    bridge.say(FromBridge::Encoder(travelling(is_online))).await;
    bridge.hear().await
}

fn id_of(said: FromHub) -> String {
    match said {
        FromHub::EncoderRegistered(registered) => registered.acs_encoder_id.to_string(),
        other => panic!("expected an id, got {other:?}"),
    }
}

fn reason_of(said: FromHub) -> String {
    match said {
        FromHub::EncoderHeld(HeldEncoder { identity, reason }) => {
            assert_eq!(identity, SERIAL);
            reason
        }
        other => panic!("expected a holder, got {other:?}"),
    }
}

async fn listed(world: &World) -> Vec<String> {
    let body = json!({ "acs_system_id": world.site });
    let answer = world.call("/acs/encoders/list", body).await;
    let encoders = answer["acs_encoders"].as_array().unwrap().iter();
    encoders
        .map(|encoder| encoder["acs_encoder_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_present_holder_keeps_an_encoder_and_the_other_pc_is_told_who_it_is() {
    let (world, token) = world_with_token().await;
    let first = Bridge::connect_with(&world, &token, with("front-desk-pc", true)).await;
    let id = first.encoder_id(SERIAL);
    let other = second_token(&world).await;
    let mut second = Bridge::connect_with(&world, &other, with("back-office-pc", true)).await;
    let snapshot = second.snapshot.as_ref().unwrap();
    assert!(snapshot.encoders.is_empty());
    assert!(snapshot.held[0].reason.contains("front-desk-pc"));
    assert!(reason_of(tell(&mut second, true).await).contains("unplugged there"));
    assert_eq!(listed(&world).await, [id]);
    world.end().await;
}

#[tokio::test]
async fn an_encoder_that_is_carried_to_another_pc_keeps_its_id_and_its_fences_go_on() {
    let (world, token) = world_with_token().await;
    let mut first = Bridge::connect_with(&world, &token, with("front-desk-pc", true)).await;
    let id = first.encoder_id(SERIAL);
    world.scan(&id).await;
    let offer = first.hear_offer().await;
    first.say(accepted(&offer)).await;
    first.report(&offer, unwritten("no_card_on_encoder")).await;

    id_of(tell(&mut first, false).await);
    let other = second_token(&world).await;
    let mut second = Bridge::connect_with(&world, &other, with("back-office-pc", true)).await;
    assert_eq!(second.encoder_id(SERIAL), id);
    assert_eq!(listed(&world).await, std::slice::from_ref(&id));
    world.scan(&id).await;
    let next = second.hear_offer().await;
    assert!(next.fence > offer.fence);

    // The first PC still has an entry for it.
    let reason = reason_of(tell(&mut first, false).await);
    assert!(reason.contains("back-office-pc"), "{reason}");
    world.end().await;
}

#[tokio::test]
async fn an_encoder_is_given_over_as_soon_as_its_holder_has_it_offline() {
    let (world, token) = world_with_token().await;
    let mut first = Bridge::connect_with(&world, &token, with("front-desk-pc", true)).await;
    let id = first.encoder_id(SERIAL);
    let other = second_token(&world).await;
    let mut second = Bridge::connect_with(&world, &other, with("back-office-pc", true)).await;
    assert_eq!(second.snapshot.as_ref().unwrap().held.len(), 1);
    id_of(tell(&mut first, false).await);
    assert_eq!(id_of(second.hear().await), id);
    // Back again at the first one, it is the second one's now.
    assert!(reason_of(tell(&mut first, true).await).contains("back-office-pc"));
    world.end().await;
}

#[tokio::test]
async fn an_encoder_does_not_move_while_a_job_of_it_has_not_ended() {
    let (world, token) = world_with_token().await;
    let mut first = Bridge::connect_with(&world, &token, with("front-desk-pc", true)).await;
    let id = first.encoder_id(SERIAL);
    let credential = world.create_credential(&world.rooms[..1], None).await;
    world.encode(&id, &credential).await;
    let offer = first.hear_offer().await;
    first.say(accepted(&offer)).await;
    first.ask_granted(&offer, CARD).await;
    id_of(tell(&mut first, false).await);

    let other = second_token(&world).await;
    let mut second = Bridge::connect_with(&world, &other, with("back-office-pc", true)).await;
    let held = &second.snapshot.as_ref().unwrap().held[0];
    assert!(held.reason.contains("has not ended"), "{}", held.reason);
    first
        .say(report_of(&offer, unwritten("encoding_interrupted")))
        .await;
    assert_eq!(id_of(second.hear().await), id);
    world.end().await;
}

#[tokio::test]
async fn an_encoder_of_a_pc_that_is_given_up_is_given_over() {
    let (mut world, token) = world_with_token().await;
    world.settings.bridge_grace = Duration::from_millis(100);
    world.restart().await;
    let first = Bridge::connect_with(&world, &token, with("front-desk-pc", true)).await;
    let id = first.encoder_id(SERIAL);
    let other = second_token(&world).await;
    let mut second = Bridge::connect_with(&world, &other, with("back-office-pc", true)).await;
    assert_eq!(second.snapshot.as_ref().unwrap().held.len(), 1);
    first.close().await;
    let said = tokio::time::timeout(GENEROUS, second.hear()).await.unwrap();
    assert_eq!(id_of(said), id);
    world.end().await;
}

#[tokio::test]
async fn encoders_of_two_sites_or_workspaces_never_meet() {
    let (world, token) = world_with_token().await;
    let mut first = Bridge::connect_with(&world, &token, with("front-desk-pc", true)).await;
    let id = first.encoder_id(SERIAL);
    id_of(tell(&mut first, false).await);
    let other_workspace = world.admin.create_workspace("Other Hotel").await.unwrap();
    let mut ids = vec![id.clone()];
    for workspace in [world.workspace, other_workspace] {
        let site = world.admin.create_site(workspace, "Annex", "UTC");
        let token = world
            .admin
            .create_bridge_token(site.await.unwrap(), "annex");
        let token = token.await.unwrap();
        let bridge = Bridge::connect_with(&world, &token, with("annex-pc", true)).await;
        assert!(bridge.snapshot.as_ref().unwrap().held.is_empty());
        ids.push(bridge.encoder_id(SERIAL));
    }
    assert_eq!(id_of(tell(&mut first, true).await), id);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    world.end().await;
}

/// A hub that was restored from a backup has forgotten the fences that it gave: those of the PC to which an encoder
/// comes count too, or its offers would be stale there.
#[tokio::test]
async fn an_encoder_goes_on_from_the_highest_fence_of_the_pc_that_it_comes_to() {
    for is_held_at_first in [true, false] {
        let (world, token) = world_with_token().await;
        let mut first = Bridge::connect_with(&world, &token, with("front-desk-pc", true)).await;
        let id = first.encoder_id(SERIAL);
        if !is_held_at_first {
            id_of(tell(&mut first, false).await);
        }
        let mut luggage = with("back-office-pc", true);
        luggage.hello.hub_id = first.welcome.as_ref().map(|welcome| welcome.hub_id);
        luggage.hello.fences = vec![EncoderFence {
            identity: SERIAL.to_owned(),
            fence: 50,
        }];
        let other = second_token(&world).await;
        let mut second = Bridge::connect_with(&world, &other, luggage).await;
        if is_held_at_first {
            id_of(tell(&mut first, false).await);
            assert_eq!(id_of(second.hear().await), id);
        }
        world.scan(&id).await;
        assert_eq!(second.hear_offer().await.fence, 51);
        world.end().await;
    }
}

/// A bridge of an earlier version, or one whose listing changed its mind.
#[tokio::test]
async fn an_encoder_that_was_one_pcs_own_stays_so_when_it_turns_out_to_be_known_at_another() {
    let (world, token) = world_with_token().await;
    let mut own = with("back-office-pc", true);
    own.snapshot.encoders = vec![encoder(SERIAL, "Back Office", true)];
    let other = second_token(&world).await;
    let second = Bridge::connect_with(&world, &other, own).await;
    let before = second.encoder_id(SERIAL);
    second.close().await;
    let mut first = Bridge::connect_with(&world, &token, with("front-desk-pc", true)).await;
    let id = first.encoder_id(SERIAL);
    id_of(tell(&mut first, false).await);

    let mut second = Bridge::connect_with(&world, &other, with("back-office-pc", true)).await;
    assert_eq!(second.encoder_id(SERIAL), before);
    assert_eq!(id_of(tell(&mut second, true).await), before);
    assert_eq!(id_of(tell(&mut first, true).await), id);
    assert_eq!(listed(&world).await.len(), 2);
    world.end().await;
}

/// What is known by a port of the computer is another encoder on another computer, whatever it is called.
#[tokio::test]
async fn encoders_that_are_known_by_their_port_are_each_pcs_own() {
    let (world, token) = world_with_token().await;
    let first = Bridge::connect(&world, &token).await;
    let other = second_token(&world).await;
    let second = Bridge::connect(&world, &other).await;
    let (ours, theirs) = (
        &first.snapshot.as_ref().unwrap().encoders,
        &second.snapshot.as_ref().unwrap().encoders,
    );
    assert_eq!((ours.len(), theirs.len()), (2, 2));
    assert_eq!(listed(&world).await.len(), 4);
    world.end().await;
}
