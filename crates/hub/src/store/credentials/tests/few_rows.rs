//! The few rows by which an issue number is decided decide as all rows would.

use super::*;
use crate::issue_number::{self, Issue, Mode, Wish};

/// Numbers without a pattern, the same in each run (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn door(number: u64) -> EntranceId {
    EntranceId(rows::uuid(ROOM + u128::from(number)))
}

fn any_wish(dice: &mut Dice, made: u32) -> Wish {
    let start = dice.below(200);
    let named = CredentialId(rows::uuid(u128::from(dice.below(u64::from(made) + 1))));
    Wish {
        mode: match dice.below(4) {
            0 => Mode::Override,
            1 => Mode::Joiner(vec![named]),
            2 => Mode::JoinExisting,
            _ => Mode::Auto,
        },
        function: if dice.below(8) == 0 {
            CardFunction::Staff
        } else {
            CardFunction::Guest
        },
        starts_at: minutes_after(start),
        is_start_given: dice.below(2) == 0,
        ends_at: (dice.below(6) > 0).then(|| minutes_after(start + 1 + dice.below(60))),
        guest_doors: (0..=dice.below(2)).map(|_| door(dice.below(4))).collect(),
    }
}

async fn keep(db: &mut Db, number: u32, wish: &Wish, issue: Issue) {
    let id = CredentialId(rows::uuid(u128::from(number)));
    let new = NewCredential {
        acs_credential_id: id,
        acs_system_id: SiteId(rows::uuid(1)),
        acs_user_id: None,
        number,
        display_name: number.to_string(),
        card_function: wish.function,
        starts_at: issue.starts_at,
        ends_at: wish.ends_at,
        card_format: None,
        issue_number: issue.number,
        stay: issue.stay,
        is_override: issue.is_override,
        auto_join: None,
        joined: issue.joined,
        entrances: wish.guest_doors.iter().copied().collect(),
    };
    insert(db, &new, rows::NOW).await.unwrap();
}

#[tokio::test]
async fn few_rows_decide_as_all_rows_would() {
    let (_folder, store) = store().await;
    let mut db = store.begin().await.unwrap();
    for number in 1..4 {
        let site = SiteId(rows::uuid(1));
        let (id, name) = (door(number), number.to_string());
        let room = u16::try_from(number).unwrap() + 1;
        let added = super::super::super::entrances::insert(
            &mut db,
            site,
            id,
            &name,
            DoorCategory::Guest,
            room,
            rows::NOW,
        );
        added.await.unwrap();
    }
    let mut dice = Dice(7);
    let (mut made, mut refused) = (0, 0);
    for _ in 0..400 {
        let wish = any_wish(&mut dice, made);
        let named: &[CredentialId] = match &wish.mode {
            Mode::Joiner(ids) => ids,
            _ => &[],
        };
        let now = minutes_after(dice.below(100));
        let few = before(&mut db, &wish, named, None, now).await.unwrap();
        let every: Vec<Credential> = sqlx::query_as(select!("ORDER BY c.seq"))
            .fetch_all(&mut *db)
            .await
            .unwrap();
        let all = with_doors(&mut db, every).await.unwrap();
        let assign = |found: &[CredentialWithDoors]| {
            let neighbours: Vec<Neighbour> =
                found.iter().map(CredentialWithDoors::neighbour).collect();
            issue_number::assign(&wish, &neighbours, now)
        };
        let decided = assign(&few);
        assert_eq!(decided, assign(&all), "{wish:?}");
        match decided {
            Ok(issue) => {
                made += 1;
                keep(&mut db, made, &wish, issue).await;
            }
            Err(_) => refused += 1,
        }
        let some = CredentialId(rows::uuid(u128::from(dice.below(u64::from(made) + 1))));
        match dice.below(8) {
            0 => set_overridden(&mut db, some).await.unwrap(),
            1 => set_discarded(&mut db, some).await.unwrap(),
            2 => set_deleted(&mut db, some, now).await.unwrap(),
            _ => set_issued(&mut db, some, Some("04A1B2C3"), Some(1), now)
                .await
                .unwrap(),
        }
    }
    assert!(made > 50 && refused > 50, "{made} made, {refused} refused");
    drop(db);
    store.close().await;
}
