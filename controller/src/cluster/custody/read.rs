//! What the cluster itself says about its keys.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::core::Request;
use kube::{Api, Client};
use sealed::custody::{ClusterRecipientStatus, Published};

use super::CLUSTER_RECIPIENTS;
use crate::cluster::fault::Fault;

/// What is published.
#[derive(Default)]
pub(crate) struct Shown {
    /// The ConfigMap, else the status.
    pub(crate) published: Published,
    /// The version of the ConfigMap that was read; none if there is none.
    pub(crate) at: Option<String>,
    /// The status of the ClusterRecipient; none if there is none, or nobody asked.
    pub(crate) status: Option<ClusterRecipientStatus>,
}

/// Reads what the controller `name` in `namespace` publishes, and the ClusterRecipient `cluster` if one is named.
///
/// # Errors
/// When the API server does not answer, or does not let us read it.
pub(crate) async fn shown(client: &Client, namespace: &str, name: &str, cluster: Option<&str>) -> Result<Shown, Fault> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let map = maps.get_opt(&Published::config_map_name(name)).await;
    let map = map.map_err(|error| Fault::of("read the ConfigMap of recipients", &error))?;
    let status = match cluster {
        Some(cluster) => cluster_recipient(client, cluster).await?,
        None => None,
    };
    let data = map.as_ref().and_then(|map| map.data.as_ref());
    Ok(Shown {
        published: Published::read(data, status.as_ref()),
        at: map.as_ref().and_then(|map| map.metadata.resource_version.clone()),
        status,
    })
}

async fn cluster_recipient(client: &Client, name: &str) -> Result<Option<ClusterRecipientStatus>, Fault> {
    #[derive(serde::Deserialize)]
    struct Object {
        #[serde(default)]
        status: Option<serde_json::Value>,
    }
    let doing = "read the ClusterRecipient";
    let request = Request::new(CLUSTER_RECIPIENTS).get(name, &Default::default());
    let request = request.map_err(|error| Fault::new("Internal", format!("cannot {doing}: {error}")))?;
    match client.request::<Object>(request).await {
        Ok(object) => Ok(object.status.and_then(|status| serde_json::from_value(status).ok())),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(Fault::of(doing, &error)),
    }
}
