//! A `RewrapRequest` as it comes from the API server. Whoever may make one may put any object into it, so it is read to a
//! depth, and none keeps the others from being answered.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use sealed::custody::RewrapRequest;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::shallow;

/// The request, without a spec where that is nested too deeply.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) request: RewrapRequest,
    pub(super) is_whole: bool,
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut object, is_whole) = shallow::read(deserializer)?;
        // As deep as the object itself, and of no use here.
        if let Some(metadata) = object.get_mut("metadata").and_then(serde_json::Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        if !is_whole {
            object["spec"] = serde_json::json!({});
        }
        let request = RewrapRequest::deserialize(object).map_err(D::Error::custom)?;
        Ok(Self { request, is_whole })
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
        assert!(read[0].is_whole && read[0].request.spec.object.is_some());
        assert!(!read[1].is_whole && read[1].meta().name.as_deref() == Some("a"));
    }
}
