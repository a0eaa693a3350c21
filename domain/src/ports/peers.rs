//! How the OpenStack of another site is reached, once an administrator has registered a login there.
//!
//! Absent: what is asked of it; it is a `Cloud` like our own.

use super::Cloud;
use crate::admin::SiteCredential;

/// Where the other site's Keystone is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerAddress {
    pub auth_url: String,
    pub region_name: String,
}

/// Makes the client of another site's OpenStack. Nothing is sent before the first call.
pub trait PeerDial: Send + Sync {
    /// # Errors
    /// No client can be made of this; in words, without secrets.
    fn dial(&self, address: &PeerAddress, credential: &SiteCredential) -> Result<Cloud, String>;
}
