//! Which of a pack's entries are needed, and which is made from which.

use std::collections::HashMap;

use gix::objs::Kind;

use crate::pack::{Base, Header, Pack};

/// A node that is only needed to make others.
pub(super) const NO_BLOB: u32 = u32::MAX;

const NO_PARENT: u32 = u32::MAX;

/// One entry of a pack.
pub(super) struct Node {
    pub(super) header: Header,
    /// Number of the blob, or [`NO_BLOB`].
    pub(super) blob: u32,
    parent: u32,
}

/// The needed entries of a pack.
pub(super) struct Forest<'c> {
    pub(super) pack: &'c Pack,
    pub(super) nodes: Vec<Node>,
    /// Entries that are whole, lightest first: workers take from the end.
    pub(super) roots: Vec<u32>,
    /// Blobs whose way down to a whole entry is broken or leads out of the pack.
    pub(super) unreachable: Vec<u32>,
    /// Children of all nodes, those of one node together, heaviest first.
    children: Vec<u32>,
    /// Where a node's children begin.
    starts: Vec<u32>,
}

impl<'c> Forest<'c> {
    /// From offsets and numbers of the wanted blobs.
    pub(super) fn plant(pack: &'c Pack, wanted: &[(u64, u32)]) -> Self {
        let mut seeds = Seeds { pack, nodes: Vec::with_capacity(wanted.len()), by_offset: HashMap::new() };
        let mut unreachable = Vec::new();
        for (offset, blob) in wanted {
            match seeds.node(*offset) {
                Some(node) => seeds.nodes[node as usize].blob = *blob,
                None => unreachable.push(*blob),
            }
        }
        let nodes = seeds.nodes;
        let (children, starts) = families(&nodes);
        let is_root = |node: &&u32| nodes[**node as usize].parent == NO_PARENT;
        let all: Vec<u32> = (0..number(nodes.len())).collect();
        let roots: Vec<u32> = all.iter().filter(is_root).copied().collect();
        let mut forest = Self { pack, nodes, roots, unreachable, children, starts };
        forest.weigh();
        forest
    }

    /// What is made from a node.
    pub(super) fn children(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.children[self.starts[node] as usize..self.starts[node + 1] as usize]
    }

    /// Sorts roots and children by how much hangs on them, and finds what no root leads to.
    fn weigh(&mut self) {
        let mut order = self.roots.clone();
        let mut at = 0;
        while let Some(node) = order.get(at).copied() {
            order.extend_from_slice(self.children(node));
            at += 1;
        }
        let mut weights = vec![0u64; self.nodes.len()];
        let mut reached = vec![false; self.nodes.len()];
        for node in order.into_iter().rev() {
            let index = node as usize;
            reached[index] = true;
            weights[index] += self.nodes[index].header.size + 1;
            if let Some(parent) = weights.get(self.nodes[index].parent as usize).copied() {
                weights[self.nodes[index].parent as usize] = parent + weights[index];
            }
        }
        self.roots.sort_by_key(|node| weights[*node as usize]);
        for node in 0..self.nodes.len() {
            let range = self.starts[node] as usize..self.starts[node + 1] as usize;
            self.children[range].sort_by_key(|child| std::cmp::Reverse(weights[*child as usize]));
        }
        let lost = self.nodes.iter().zip(reached).filter(|(node, reached)| !reached && node.blob != NO_BLOB);
        self.unreachable.extend(lost.map(|(node, _)| node.blob));
    }
}

/// Children of all nodes, grouped, and where each group begins.
fn families(nodes: &[Node]) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; nodes.len() + 1];
    for node in nodes.iter().filter(|node| node.parent != NO_PARENT) {
        starts[node.parent as usize + 1] += 1;
    }
    for index in 1..starts.len() {
        starts[index] += starts[index - 1];
    }
    let mut next = starts.clone();
    let mut children = vec![0; starts.last().map_or(0, |total| *total as usize)];
    for (index, node) in nodes.iter().enumerate().filter(|(_, node)| node.parent != NO_PARENT) {
        let slot = &mut next[node.parent as usize];
        children[*slot as usize] = number(index);
        *slot += 1;
    }
    (children, starts)
}

struct Seeds<'c> {
    pack: &'c Pack,
    nodes: Vec<Node>,
    by_offset: HashMap<u64, Option<u32>>,
}

impl Seeds<'_> {
    /// The node of an entry; with it come all that it is made from. `None` if the way down is broken.
    fn node(&mut self, offset: u64) -> Option<u32> {
        let mut way = Vec::new();
        let mut at = offset;
        let mut parent = loop {
            if let Some(known) = self.by_offset.get(&at) {
                break *known;
            }
            // Until it is known better: a way that comes back here is broken.
            self.by_offset.insert(at, None);
            let header = self.pack.header(at).ok();
            way.push((at, header));
            at = match header.map(|header| header.base) {
                Some(Base::Whole(Kind::Blob)) => break Some(NO_PARENT),
                Some(Base::Offset(base)) => base,
                Some(Base::Object(id)) => match self.pack.find(&id) {
                    Some(base) => base,
                    None => break None,
                },
                Some(Base::Whole(_)) | None => break None,
            };
        };
        for (at, header) in way.into_iter().rev() {
            let node = parent.zip(header).map(|(parent, header)| {
                self.nodes.push(Node { header, blob: NO_BLOB, parent });
                number(self.nodes.len() - 1)
            });
            self.by_offset.insert(at, node);
            parent = node;
        }
        parent
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("fewer entries in a pack than 2^32")
}
