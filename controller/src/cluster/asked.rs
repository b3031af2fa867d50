//! A `RewrapRequest` as it comes from the API server. Whoever may make one may put any object into it, so it is read to a
//! depth, the object is not held before its turn comes, and none keeps the others from being answered.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use sealed::custody::RewrapRequest;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::shallow;

/// The request without the object that it may hold, and without a spec where that is nested too deeply.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) request: RewrapRequest,
    pub(super) is_whole: bool,
    /// Whether there is an object; [`object_in`] an answer of the API server.
    pub(super) has_object: bool,
}

/// The object that a request holds, as JSON, if it is still the one with this uid.
pub(super) fn object_in(request: &str, uid: &str) -> Option<String> {
    let (request, is_whole) = shallow::read(&mut serde_json::Deserializer::from_str(request)).ok()?;
    let is_same = request.pointer("/metadata/uid").and_then(Value::as_str) == Some(uid);
    request.pointer("/spec/object").filter(|_| is_whole && is_same).map(Value::to_string)
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut object, is_whole) = shallow::read(deserializer)?;
        // As large as the object itself, and of no use here.
        for (part, field) in [("metadata", "managedFields"), ("metadata", "annotations"), ("status", "age")] {
            taken(&mut object, part, field);
        }
        let has_object = taken(&mut object, "spec", "object").is_some_and(|held| !held.is_null());
        if !is_whole {
            object["spec"] = serde_json::json!({});
        }
        let request = RewrapRequest::deserialize(object).map_err(D::Error::custom)?;
        Ok(Self { request, is_whole, has_object })
    }
}

fn taken(object: &mut Value, part: &str, field: &str) -> Option<Value> {
    object.get_mut(part)?.as_object_mut()?.remove(field)
}

impl Asked {
    /// Since when it is there, in seconds of the clock; `None` if the API server does not say.
    pub(super) fn created(&self) -> Option<i64> {
        self.request.meta().creation_timestamp.as_ref().map(|created| created.0.as_second())
    }
}

impl Resource for Asked {
    type DynamicType = ();
    type Scope = <RewrapRequest as Resource>::Scope;

    fn kind(of: &()) -> Cow<'_, str> {
        RewrapRequest::kind(of)
    }

    fn group(of: &()) -> Cow<'_, str> {
        RewrapRequest::group(of)
    }

    fn version(of: &()) -> Cow<'_, str> {
        RewrapRequest::version(of)
    }

    fn plural(of: &()) -> Cow<'_, str> {
        RewrapRequest::plural(of)
    }

    fn meta(&self) -> &ObjectMeta {
        self.request.meta()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.request.meta_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_nested_too_deeply_spoils_no_list() {
        let of = |object: &str| format!(r#"{{"metadata":{{"name":"a"}},"spec":{{"object":{object}}}}}"#);
        let deep = format!("{}1{}", "{\"d\":".repeat(500), "}".repeat(500));
        let read: Vec<Asked> = serde_json::from_str(&format!("[{},{}]", of("{\"a\":1}"), of(&deep))).unwrap();
        assert!(read[0].is_whole && read[0].has_object && read[0].request.spec.object.is_none());
        assert!(!read[1].is_whole && read[1].meta().name.as_deref() == Some("a"));
        let whole = r#"{"metadata":{"name":"a","uid":"u"},"spec":{"object":{"a":1}}}"#;
        assert_eq!(object_in(whole, "u").as_deref(), Some(r#"{"a":1}"#));
        assert_eq!((object_in(whole, "v"), object_in("{}", "u"), object_in(&of(&deep), "u")), (None, None, None));
    }
}
