//! Templates.

use minicbor::{Decode, Encode};
use serde::Serialize;

#[cfg(doc)]
use super::Act;

/// See [`Act::TemplateSaved`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct TemplateSaved {
    /// cn.
    #[n(0)]
    pub cn: String,
    /// The template file's JSON text.
    #[n(1)]
    pub json: String,
}

/// Names a template.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct TemplateMark {
    /// cn.
    #[n(0)]
    pub cn: String,
}
