//! The words of commits and annotated tags, and blobs that a ref leads to directly.

use std::sync::Arc;

use bstr::BString;
use gix::ObjectId;
use gix::objs::Kind;
use scan::{Lines, Origin, Place, Visitor};

use super::{Context, info};
use crate::feed::{self, Feed};
use crate::pack::reader::Reader;

/// Hands over every message with the commit or tag as its place.
pub(super) fn visit<'s>(context: &Context<'_>, new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync)) {
    let commits = context.commits;
    let total = commits.list.len() + commits.tags.len();
    // Many at a time: each is small.
    const AT_ONCE: usize = 256;
    context.share(total.div_ceil(AT_ONCE), new_visitor, &|item, reader, visitor| {
        for index in item * AT_ONCE..total.min((item + 1) * AT_ONCE) {
            let (id, kind) = match commits.list.get(index) {
                Some(commit) => (commit.id, Kind::Commit),
                None => (commits.tags[index - commits.list.len()], Kind::Tag),
            };
            one(context, id, kind, reader, visitor);
        }
    });
}

fn one(context: &Context<'_>, id: ObjectId, kind: Kind, reader: &mut Reader<'_>, visitor: &mut dyn Visitor) {
    // What cannot be read has been named when the commits were walked.
    let Ok(bytes) = reader.expect(id, kind) else { return };
    let message = info::message(&bytes);
    if message.is_empty() {
        return;
    }
    let mut feed = Feed { limits: &context.history.limits, visitor };
    let paths = [BString::default()];
    feed.plain(message, &paths, None, &mut |visitor, part| {
        let place = Place::Message(Arc::new(info::read(id, &bytes)));
        let origin = Origin { place, ..Origin::default() };
        feed::place(visitor, &part, &origin, Lines::All);
    });
}

/// Blobs that no commit holds: a tag or ref leads to them. Their id stands for a path.
pub(super) fn bare_blobs<'s>(context: &Context<'_>, new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync)) {
    let blobs = &context.commits.blobs;
    context.share(blobs.len(), new_visitor, &|item, reader, visitor| {
        let path = BString::from(blobs[item].to_string());
        let mut feed = Feed { limits: &context.history.limits, visitor };
        let Ok(bytes) = reader.expect(blobs[item], Kind::Blob) else {
            return feed.unread(&path, "missing or damaged");
        };
        let origin = Origin { path: path.clone(), ..Origin::default() };
        let take = &mut |visitor: &mut dyn Visitor, part| feed::place(visitor, &part, &origin, Lines::All);
        feed.whole(&bytes, std::slice::from_ref(&path), None, take);
    });
}
