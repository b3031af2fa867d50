//! Chains of statements: what verifies, what does not, and what a person who pinned one is told.

use sealed::custody::{Accept, Chain, ChainFault, Cluster, DAY, News, Published, Statement, chain_in, file_of};
use secret::SecretBytes;

use super::stage::Stage;

fn grown(renewals: usize) -> (Stage, Chain) {
    let mut stage = Stage::new(&[]);
    stage.settle();
    for _ in 0..renewals {
        stage.now += 90 * DAY;
        stage.settle();
    }
    let chain = stage.chain();
    assert_eq!(chain.statements().len(), renewals + 1);
    (stage, chain)
}

fn part(chain: &Chain, from: usize, to: usize) -> Chain {
    Chain::verify(chain.statements()[from..to].to_vec()).unwrap()
}

#[test]
fn every_field_is_signed() {
    let (_, chain) = grown(1);
    let changes: [fn(&mut Statement); 7] = [
        |it| it.cluster.push('x'),
        |it| it.cluster_uid.push('x'),
        |it| it.created = "2031-01-01T00:00:00Z".into(),
        |it| it.number += 1,
        |it| it.previous = None,
        |it| it.recipient = crate::made::Person::new(77).recipient,
        |it| it.signature = it.signature.replacen(['A', 'B', 'C', 'D', 'E', 'F'], "z", 1),
    ];
    for change in changes {
        let mut statement = chain.newest().clone();
        change(&mut statement);
        assert_eq!(statement.check(), Err(ChainFault::BadSignature(statement.number)));
    }
    let mut statement = chain.newest().clone();
    statement.recipient = "age1canary".into();
    assert!(matches!(statement.check(), Err(ChainFault::Malformed { field: "recipient", .. })));
}

#[test]
fn links_cannot_be_taken_out_or_turned() {
    let (_, chain) = grown(3);
    let all = chain.statements().to_vec();
    assert!(Chain::verify(all.clone()).is_ok());
    assert_eq!(Chain::verify(Vec::new()), Err(ChainFault::Empty));
    let without: Vec<_> = [&all[..1], &all[2..]].concat();
    assert_eq!(Chain::verify(without), Err(ChainFault::BrokenChain(3)));
    let turned = vec![all[1].clone(), all[0].clone()];
    assert_eq!(Chain::verify(turned), Err(ChainFault::Rollback { pinned: 2, found: 1 }));
    let twice = vec![all[0].clone(), all[0].clone()];
    assert_eq!(Chain::verify(twice), Err(ChainFault::Fork(1)));
    assert_eq!(Chain::verify(vec![all[0].clone(); 257]), Err(ChainFault::TooMany));
}

#[test]
fn what_a_person_who_pinned_is_told() {
    let (_, chain) = grown(3);
    let two = part(&chain, 0, 2);
    let none = Accept::default();
    assert_eq!(chain.follows(&chain, none), Ok(News::Same));
    assert_eq!(chain.follows(&two, none), Ok(News::More(2)));
    assert_eq!(part(&chain, 2, 4).follows(&two, none), Ok(News::More(2)), "what went before was left out");
    assert_eq!(part(&chain, 3, 4).follows(&two, none), Err(ChainFault::BrokenChain(4)));
    assert_eq!(two.follows(&chain, none), Err(ChainFault::Rollback { pinned: 4, found: 2 }));
}

#[test]
fn a_fork_is_told_from_another_key_and_another_cluster() {
    let (mut stage, chain) = grown(1);
    let none = Accept::default();
    // The same statement key says two things: its owner lost it.
    let snapshot = (stage.secrets.clone(), stage.config_map.clone());
    stage.now += 90 * DAY;
    stage.settle();
    let one = stage.chain();
    (stage.secrets, stage.config_map) = snapshot;
    stage.reseed(55);
    stage.now += DAY;
    stage.settle();
    let other = stage.chain();
    assert_eq!(other.follows(&chain, none), Ok(News::More(1)));
    assert_eq!(other.follows(&one, none), Err(ChainFault::Fork(3)));
    // Another statement key.
    let mut stranger = Stage::new(&[]);
    stranger.reseed(4);
    stranger.settle();
    let stranger = stranger.chain();
    let Err(ChainFault::AnotherKey { endorsed, found, .. }) = stranger.follows(&chain, none) else { panic!() };
    assert!(!endorsed);
    let accept = Accept { key: Some(&found), cluster_uid: None };
    assert_eq!(stranger.follows(&chain, accept), Ok(News::Replaced));
    assert!(stranger.follows(&chain, Accept { key: Some("SHA256:x"), cluster_uid: None }).is_err());
    // Another cluster.
    let mut elsewhere = Stage::new(&[]);
    elsewhere.cluster = Cluster { name: "prod".into(), uid: "uid-2".into() };
    elsewhere.settle();
    let fault = elsewhere.chain().follows(&chain, none).unwrap_err();
    assert!(matches!(fault, ChainFault::AnotherCluster { .. }), "{fault}");
}

#[test]
fn a_successor_key_is_believed_only_with_an_endorsement() {
    let (mut stage, chain) = grown(1);
    let name = stage.active().name;
    stage.annotate(&name, "plomb.dev/revoke", "true");
    stage.settle();
    let after = stage.chain();
    let Err(ChainFault::AnotherKey { endorsed, found, .. }) = after.follows(&chain, Accept::default()) else {
        panic!()
    };
    assert!(endorsed);
    assert_eq!(after.follows(&chain, Accept { key: Some(&found), cluster_uid: None }), Ok(News::More(1)));
    let mut bare = after.into_statements();
    bare.last_mut().unwrap().endorsement = None;
    assert!(matches!(Chain::verify(bare), Err(ChainFault::Unendorsed { number: 3, .. })));
}

/// Restored elsewhere: the key goes on under the uid of the new cluster.
#[test]
fn a_restored_cluster_goes_on_with_the_chain() {
    let (mut stage, chain) = grown(2);
    stage.cluster.uid = "uid-new".into();
    stage.write_config_map(None);
    let before = stage.active().recipient;
    stage.settle();
    let after = stage.chain();
    assert_eq!((after.newest().number, &after.newest().recipient), (4, &before));
    assert_eq!(after.statements()[..3], *chain.statements(), "the Secrets remember what was said");
    let fault = after.follows(&chain, Accept::default()).unwrap_err();
    assert!(matches!(fault, ChainFault::AnotherCluster { .. }));
    let accept = Accept { key: None, cluster_uid: Some("uid-new") };
    assert_eq!(after.follows(&chain, accept), Ok(News::More(1)));
}

#[test]
fn the_chain_is_read_wherever_it_stands() {
    let (stage, chain) = grown(1);
    let seen = stage.look();
    let status = sealed::custody::status(&stage.world(&seen), &[], None);
    let object = serde_json::json!({"apiVersion": "plomb.dev/v1alpha1", "kind": "ClusterRecipient",
        "metadata": {"name": "plomb"}, "status": status});
    let config_map = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "data": stage.config_map});
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [object]});
    let texts = [object.to_string(), config_map.to_string(), list.to_string(), file_of(chain.statements())];
    for text in &texts {
        assert_eq!(chain_in(SecretBytes::from(text.as_str())).unwrap(), chain, "{text}");
    }
    let twice = serde_json::json!({"kind": "List", "items": [object, object]}).to_string();
    let other = chain.statements()[0].recipient.clone();
    let lies = file_of(chain.statements()).replacen(
        &format!("recipient: {}", chain.newest().recipient),
        &format!("recipient: {other}"),
        1,
    );
    for (bad, wanted) in [
        ("{}", "no statements"),
        ("a: [", "no value"),
        ("statements: []", "no statement"),
        ("statements: [{a: b}]", "fields"),
        (twice.as_str(), "more than one"),
        (lies.as_str(), "recipient"),
    ] {
        let error = chain_in(SecretBytes::from(bad)).unwrap_err().to_string();
        assert!(error.contains(wanted), "{bad}: {error}");
    }
    assert_eq!(Published::read(None, None), Published::default());
}
