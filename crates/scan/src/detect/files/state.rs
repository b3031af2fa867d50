//! Terraform's state: what the provider `random` drew stands in it in clear.

use crate::classify::placeholder::is_placeholder;
use crate::detect::json::Json;
use crate::detect::{Detected, Look};
use crate::finding::{Confidence, Severity};

/// Objects between a resource and its attributes, and one more.
const DEPTH: usize = 3;

/// Looks for the results of `random_password`.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    let text = look.bytes;
    if memchr::memmem::find(text, b"\"random_password\"").is_none() {
        return;
    }
    let json = Json::read(text);
    let drawn = json
        .members
        .iter()
        .filter(|member| &text[member.key.clone()] == b"type" && &text[member.value.clone()] == b"random_password");
    let resources: std::collections::HashSet<usize> = drawn.map(|member| member.object).collect();
    let parent = |object: &usize| json.objects[*object].parent;
    for member in json.members.iter().filter(|member| &text[member.key.clone()] == b"result") {
        let within = std::iter::successors(Some(member.object), parent).take(DEPTH).any(|it| resources.contains(&it));
        let value = &text[member.value.clone()];
        if within && value.len() >= 6 && !is_placeholder(value) {
            let (matched, secret) = (member.key.start..member.value.end, member.value.clone());
            let (rule, confidence, severity) = ("generic-password", Confidence::High, Severity::High);
            out.push(Detected { rule, matched, secret, confidence, severity });
        }
    }
}
