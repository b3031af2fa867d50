//! A chain of statements that verifies, and how one compares with what somebody pinned earlier.

use super::statement::{ChainFault, Cluster, MAX_STATEMENTS, Statement};

/// Statements each of which follows from the one before. There is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain(Vec<Statement>);

/// What somebody who looked says is meant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accept<'a> {
    /// Fingerprint of a new statement key.
    pub key: Option<&'a str>,
    /// Uid of a cluster that was built anew.
    pub cluster_uid: Option<&'a str>,
}

/// What is new against a pinned chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing.
    Same,
    /// So many statements.
    More(usize),
    /// Everything: a new statement key was accepted.
    Replaced,
}

impl Chain {
    /// Checks every signature and every link. The first statement may be one whose predecessors were left out.
    ///
    /// # Errors
    /// The first fault.
    pub fn verify(statements: Vec<Statement>) -> Result<Self, ChainFault> {
        if statements.is_empty() {
            return Err(ChainFault::Empty);
        }
        if statements.len() > MAX_STATEMENTS {
            return Err(ChainFault::TooMany);
        }
        statements.iter().try_for_each(Statement::check)?;
        statements.windows(2).try_for_each(|pair| pair[1].check_after(&pair[0]))?;
        Ok(Self(statements))
    }

    /// The statements, oldest first.
    pub fn statements(&self) -> &[Statement] {
        &self.0
    }

    /// The newest statement.
    pub fn newest(&self) -> &Statement {
        self.0.last().expect("a chain has a statement")
    }

    /// The same for a list of statements.
    pub fn into_statements(self) -> Vec<Statement> {
        self.0
    }

    /// Whether it speaks for this cluster.
    ///
    /// # Errors
    /// [`ChainFault::AnotherCluster`].
    pub fn check_cluster(&self, wanted: &Cluster) -> Result<(), ChainFault> {
        let newest = self.newest();
        if newest.cluster == wanted.name && newest.cluster_uid == wanted.uid {
            return Ok(());
        }
        let name = |name: &str, uid: &str| format!("{name} ({uid})");
        Err(ChainFault::AnotherCluster {
            wanted: name(&wanted.name, &wanted.uid),
            found: name(&newest.cluster, &newest.cluster_uid),
        })
    }

    /// Whether it goes on from `pinned`, which somebody trusted earlier.
    ///
    /// # Errors
    /// [`ChainFault::AnotherCluster`], [`ChainFault::AnotherKey`] unless accepted, [`ChainFault::Rollback`],
    /// [`ChainFault::Fork`], [`ChainFault::BrokenChain`].
    pub fn follows(&self, pinned: &Self, accept: Accept<'_>) -> Result<News, ChainFault> {
        let (new, old) = (self.newest(), pinned.newest());
        let uid = accept.cluster_uid.filter(|uid| *uid == new.cluster_uid).unwrap_or(&old.cluster_uid);
        self.check_cluster(&Cluster { name: old.cluster.clone(), uid: uid.to_owned() })?;
        if new.statement_key != old.statement_key && accept.key != Some(&new.fingerprint()) {
            return Err(ChainFault::AnotherKey {
                pinned: old.fingerprint(),
                found: new.fingerprint(),
                endorsed: self.check_links(pinned).is_ok(),
            });
        }
        match self.check_links(pinned) {
            Ok(0) => Ok(News::Same),
            Ok(more) => Ok(News::More(more)),
            // Whoever says that the key is new says so of the chain.
            Err(_) if new.statement_key != old.statement_key => Ok(News::Replaced),
            Err(fault) => Err(fault),
        }
    }

    /// How many statements came after those of `pinned`; every one that both have must be the same.
    fn check_links(&self, pinned: &Self) -> Result<usize, ChainFault> {
        let (first, new, old) = (&self.0[0], self.newest(), pinned.newest());
        let same = |statement: &&Statement| {
            let known = pinned.0.iter().find(|known| known.number == statement.number);
            known.is_some_and(|known| known.digest() != statement.digest())
        };
        if let Some(forked) = self.0.iter().find(same) {
            return Err(ChainFault::Fork(forked.number));
        }
        if new.number < old.number {
            return Err(ChainFault::Rollback { pinned: old.number, found: new.number });
        }
        if first.number > old.number {
            first.check_after(old)?;
        }
        Ok((new.number - old.number) as usize)
    }
}
