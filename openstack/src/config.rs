//! What one needs to know to reach a cloud. Absent: files and their syntax.

use protector_runtime::remote::RemoteOptions;
use secrecy::SecretString;
use std::str::FromStr;

/// One cloud as one Keystone sees it.
#[derive(Clone, Debug)]
pub struct CloudConfig {
    /// Keystone, with or without `/v3`. Always this address, whatever the catalog says of itself.
    pub auth_url: String,
    /// Which region's endpoints to use; `None`: the first that the catalog lists.
    pub region_name: Option<String>,
    pub interface: Interface,
    pub credential: Credential,
    /// Limits for each of the five services, separately: a busy Nova does not slow Neutron.
    pub remote: RemoteOptions,
}

/// The service identity at this cloud (SEC-05).
#[derive(Clone, Debug)]
pub enum Credential {
    /// Can act in every project where it has a role, and by trust.
    Password {
        username: String,
        user_domain_name: String,
        password: SecretString,
        project_name: String,
        project_domain_name: String,
    },
    /// Is bound to the one project it was made in: no other project, no trusts.
    ApplicationCredential { id: String, secret: SecretString },
}

/// Which of a service's endpoints to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interface {
    #[default]
    Public,
    Internal,
    Admin,
}

impl Interface {
    /// As the catalog writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Interface {
    type Err = String;

    /// Also takes the older `publicURL` spelling, as configuration files do.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().trim_end_matches("URL") {
            "public" => Ok(Self::Public),
            "internal" => Ok(Self::Internal),
            "admin" => Ok(Self::Admin),
            _ => Err(format!("`{text}` is none of public, internal, admin")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_read_in_both_spellings() {
        assert_eq!("internalURL".parse(), Ok(Interface::Internal));
        assert_eq!("admin".parse(), Ok(Interface::Admin));
        assert!("private".parse::<Interface>().is_err());
    }

    #[test]
    fn a_printed_credential_shows_no_secret() {
        let secret = SecretString::from("canary-secret");
        let credential = Credential::ApplicationCredential {
            id: "id".into(),
            secret,
        };
        let shown = format!("{credential:?}");
        assert!(shown.contains("id") && !shown.contains("canary"), "{shown}");
    }
}
