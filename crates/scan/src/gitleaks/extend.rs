//! `[extend]`: a file, the file or the rules under it, and how they become one set.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::World;
use super::document::{self, Document};
use super::remark::{Level, Place, Remark};
use super::rule::Draft;
use super::value::nearest;
use crate::allowlist::Allowlist;
use crate::rule::Rule;
use crate::ruleset::RuleSet;

/// Files that may stand under the first; gitleaks passes over deeper ones in silence.
const DEEPEST: usize = 2;

/// A set that grows from its innermost file outwards.
#[derive(Default)]
struct Set {
    rules: BTreeMap<Arc<str>, Draft>,
    /// The child's before its base's.
    allowlists: Vec<Allowlist>,
    targeted: Vec<(Allowlist, Vec<(String, Place)>)>,
    structural: bool,
    /// Our own rules are in it: ids that only gitleaks knows are no mistake then.
    on_default: bool,
    remarks: Vec<Remark>,
}

/// Reads a file and what it extends: the set, as good as it gets, and all remarks.
pub(super) fn load(bytes: &[u8], world: &mut dyn World) -> (RuleSet, Vec<Remark>) {
    let mut chain = vec![bytes.to_vec()];
    let mut set = file(None, &mut chain, world);
    set.attach_targeted();
    set.check();
    let broken = set.remarks.iter().any(|remark| remark.level == Level::Error);
    if set.rules.is_empty() && !broken {
        let hint = "add `[extend]` with `useDefault = true`, or write `[[rules]]`";
        let top = Place { file: None, line: 1, column: 1 };
        set.remarks.push(top.remark(Level::Error, "no rule is left: nothing would ever be found", Some(hint)));
    }
    let rules = set.rules.into_values().map(|draft| draft.rule).collect();
    (RuleSet { rules, allowlists: set.allowlists, structural: set.structural }, set.remarks)
}

/// Whether anything can make a rule find something: an expression, a path, or a detector of our own set.
fn finds(rule: &Rule, structural: bool) -> bool {
    let detected = || structural && crate::builtin::is_detected(&rule.id);
    rule.regex.is_some() || rule.path.is_some() || detected()
}

/// Reads the last file of `chain`, which holds the bytes of all files from the first one on.
fn file(name: Option<Arc<str>>, chain: &mut Vec<Vec<u8>>, world: &mut dyn World) -> Set {
    let document = document::read(chain.last().expect("the chain begins with the first file"), name);
    let mut set = base(&document, chain, world);
    set.apply(document);
    set
}

/// What the document extends.
fn base(document: &Document, chain: &mut Vec<Vec<u8>>, world: &mut dyn World) -> Set {
    let asked = document.use_default || document.path.is_some();
    let place = document.path.as_ref().map(|(_, place)| place).or(document.extend_place.as_ref());
    let Some(place) = place.filter(|_| asked) else { return Set::default() };
    let failed = |level: Level, what: String, hint: Option<&str>| Set {
        remarks: vec![place.remark(level, what, hint)],
        ..Set::default()
    };
    if chain.len() > DEEPEST {
        let what =
            format!("files extend each other at most {DEEPEST} deep: this `[extend]` is left out, as in gitleaks");
        return failed(Level::Warning, what, None);
    }
    let Some((path, _)) = document.path.as_ref().filter(|_| !document.use_default) else {
        return Set::of_default(world.default_rules(), place);
    };
    let shown = path.escape_debug();
    match world.open(path) {
        Err(why) => {
            let hint = "the path is taken from the working folder, as gitleaks does";
            failed(Level::Error, format!("cannot read `{shown}`, which it extends: {why}"), Some(hint))
        }
        Ok(bytes) if chain.contains(&bytes) => failed(Level::Error, format!("`{shown}` extends itself"), None),
        Ok(bytes) => {
            chain.push(bytes);
            let set = file(Some(Arc::from(path.as_str())), chain, world);
            chain.pop();
            set
        }
    }
}

impl Set {
    fn of_default(default: RuleSet, place: &Place) -> Self {
        let draft = |rule: Rule| Draft { rule, place: place.clone(), group_place: None, required_places: Vec::new() };
        let rules = default.rules.into_iter().map(|rule| (rule.id.clone(), draft(rule))).collect();
        let (allowlists, structural) = (default.allowlists, default.structural);
        Self { rules, allowlists, structural, on_default: true, ..Self::default() }
    }

    /// Lays a document over this set.
    fn apply(&mut self, document: Document) {
        self.remarks.extend(document.remarks);
        for (id, place) in &document.disabled {
            if self.rules.remove(id.as_str()).is_none() {
                self.remarks.push(place.remark(
                    Level::Warning,
                    "there is no such rule to disable",
                    self.near(id).as_deref(),
                ));
            }
        }
        let mut own: BTreeMap<Arc<str>, Draft> = BTreeMap::new();
        for draft in document.rules {
            let (id, place) = (draft.rule.id.clone(), draft.place.clone());
            if own.insert(id.clone(), draft).is_some() {
                let what = format!("rule `{}` is there twice; the later one counts", id.escape_debug());
                self.remarks.push(place.remark(Level::Warning, what, None));
            }
        }
        for (id, draft) in own {
            let merged = match self.rules.remove(&id) {
                Some(base) => self.merged(base, draft),
                None => draft,
            };
            self.rules.insert(id, merged);
        }
        let base = std::mem::replace(&mut self.allowlists, document.allowlists);
        self.allowlists.extend(base);
        self.targeted.extend(document.targeted);
    }

    /// The base with what the child says.
    fn merged(&mut self, base: Draft, child: Draft) -> Draft {
        let (mut rule, own) = (base.rule, child.rule);
        if own.skip_report || !own.required.is_empty() {
            let what = format!(
                "rule `{}`: `required` and `skipReport` do not count in a rule that changes an extended one",
                own.id.escape_debug()
            );
            self.remarks.push(child.place.remark(Level::Warning, what, None));
        }
        if !own.description.is_empty() {
            rule.description = own.description;
        }
        if own.entropy != 0.0 {
            rule.entropy = own.entropy;
        }
        if own.secret_group != 0 {
            rule.secret_group = own.secret_group;
        }
        if own.regex.is_some() {
            // What judged the old expression's matches knows nothing of the new one's.
            (rule.regex, rule.check) = (own.regex, None);
        }
        if own.path.is_some() {
            rule.path = own.path;
        }
        rule.tags.extend(own.tags);
        rule.keywords.extend(own.keywords);
        rule.allowlists.extend(own.allowlists);
        Draft { rule, place: child.place, group_place: child.group_place, required_places: base.required_places }
    }

    fn attach_targeted(&mut self) {
        for (allowlist, targets) in std::mem::take(&mut self.targeted) {
            for (id, place) in targets {
                if let Some(draft) = self.rules.get_mut(id.as_str()) {
                    draft.rule.allowlists.push(allowlist.clone());
                } else {
                    let what = format!("`targetRules` names `{}`, which is no rule here", id.escape_debug());
                    self.remarks.push(place.remark(self.unknown_rule(), what, self.near(&id).as_deref()));
                }
            }
        }
    }

    /// What only the finished set can tell.
    fn check(&mut self) {
        let mut remarks = Vec::new();
        for draft in self.rules.values() {
            self.check_rule(draft, &mut remarks);
        }
        self.remarks.extend(remarks);
        let structural = self.structural;
        self.rules.retain(|_, draft| finds(&draft.rule, structural));
    }

    fn check_rule(&self, draft: &Draft, remarks: &mut Vec<Remark>) {
        let rule = &draft.rule;
        let id = rule.id.escape_debug();
        // An expression that could not be read has been named already.
        let named = self.remarks.iter().any(|remark| remark.level == Level::Error);
        if !finds(rule, self.structural) && !named {
            let what = format!("rule `{id}` has neither `regex` nor `path`");
            remarks.push(draft.place.remark(self.unknown_rule(), what, self.near(&rule.id).as_deref()));
        }
        let groups = rule.regex.as_ref().map_or(usize::MAX, pattern::Pattern::group_count);
        if rule.secret_group > groups {
            let what = format!("rule `{id}`: `secretGroup` is {}, its regex has {groups} groups", rule.secret_group);
            let place = draft.group_place.as_ref().unwrap_or(&draft.place);
            remarks.push(place.remark(Level::Error, what, None));
        }
        for (index, requirement) in rule.required.iter().enumerate() {
            if !self.rules.contains_key(requirement.id.as_str()) {
                let what = format!("rule `{id}` requires `{}`, which is no rule here", requirement.id.escape_debug());
                let place = draft.required_places.get(index).unwrap_or(&draft.place);
                remarks.push(place.remark(Level::Error, what, self.near(&requirement.id).as_deref()));
            }
        }
    }

    /// How bad it is to name a rule that is not there.
    fn unknown_rule(&self) -> Level {
        if self.on_default { Level::Warning } else { Level::Error }
    }

    fn near(&self, id: &str) -> Option<String> {
        let known: Vec<&str> = self.rules.keys().map(AsRef::as_ref).filter(|known| *known != id).collect();
        nearest(id, &known).map(|near| format!("did you mean `{near}`?"))
    }
}
