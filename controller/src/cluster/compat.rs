//! What tools around Sealed Secrets expect of its controller beside the resources: HTTP paths and metric names. Both
//! are off unless a flag asks for them.

mod http;
mod metrics;

pub(crate) use http::listen;
pub(crate) use metrics::Names;
