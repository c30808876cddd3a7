//! Many at once get exactly what there is.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

use super::{rates, tokens};
use crate::admission::limits::{Accounts, Scope, Terms, users::Users};

const THREADS: u64 = 8;
const EACH: u64 = 500;

#[test]
fn a_crowd_is_let_in_up_to_the_limit_and_not_one_more() {
    let account = Accounts::default().of(Scope::Key, "app", Terms::of(rates(100, 100_000))).unwrap();
    let (admitted, now) = (AtomicU64::new(0), Duration::from_secs(1));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    admitted.fetch_add(account.limits().admit(now, tokens(10)).is_ok().into(), Relaxed);
                }
            });
        }
    });
    assert_eq!(admitted.into_inner(), 100);
}

#[test]
fn what_is_given_back_is_there_again_to_the_last_unit() {
    let account = Accounts::default().of(Scope::Key, "app", Terms::of(rates(64, 640))).unwrap();
    let now = Duration::from_secs(1);
    let most = AtomicU64::new(0);
    let inside = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let Ok(held) = account.limits().admit(now, tokens(100)) else { continue };
                    most.fetch_max(inside.fetch_add(1, Relaxed) + 1, Relaxed);
                    inside.fetch_sub(1, Relaxed);
                    account.limits().settle(now, now, held, None);
                }
            });
        }
    });
    assert!(most.into_inner() <= 6, "640 tokens hold six requests of 100");
    let standing = account.limits().standing(now);
    assert_eq!(standing.requests.unwrap().remaining, 64);
    assert_eq!(standing.tokens.unwrap().remaining, 640);
}

#[test]
fn junk_names_of_users_take_a_bounded_room_and_let_nobody_in_twice() {
    let now = Duration::from_secs(1);
    let users = Users::new(now, rates(1, 0), None);
    let admitted = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (users, admitted) = (&users, &admitted);
            scope.spawn(move || {
                // every name comes from two threads
                for number in 0..10_000 {
                    let id = users.id(&format!("user-{}-{number}", thread / 2));
                    admitted
                        .fetch_add(users.with(now, id, |limits| limits.admit(now, tokens(0)).is_ok()).into(), Relaxed);
                }
            });
        }
    });
    assert_eq!(users.kept(), 16 * 1_024);
    // one request of each that is kept apart, and one for all others of each shard
    assert_eq!(admitted.into_inner(), 16 * 1_024 + 16);
    let later = Duration::from_secs(62);
    let id = users.id("somebody new");
    assert!(users.with(later, id, |limits| limits.admit(later, tokens(0)).is_ok()));
    assert!(users.kept() < 16 * 1_024, "those whose limits are whole again are forgotten");
}
