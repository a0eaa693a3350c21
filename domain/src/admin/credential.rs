//! The login that a site has at another site's OpenStack (SEC-05, C26): read, judged, and written for
//! sealing.
//!
//! Absent: sealing it (`store`) and using it (`openstack`).

use super::{AdminRefusal, check_text};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

/// As wide as Keystone takes.
const SECRET_CHARS_MAX: usize = 4_096;

fn default_domain() -> String {
    "Default".to_owned()
}

/// A login at another site. It cannot print or serialise itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SiteCredential {
    /// A service user; acts in every project where it has a role.
    Password {
        username: String,
        #[serde(default = "default_domain")]
        user_domain_name: String,
        password: SecretString,
        project_name: String,
        #[serde(default = "default_domain")]
        project_domain_name: String,
    },
    /// Bound to the one project it was made in.
    ApplicationCredential { id: String, secret: SecretString },
}

impl SiteCredential {
    /// # Errors
    /// `BadName` with the field.
    pub fn check(&self) -> Result<(), AdminRefusal> {
        match self {
            Self::Password {
                username,
                user_domain_name,
                password,
                project_name,
                project_domain_name,
            } => {
                check_text("username", username, true)?;
                check_text("user_domain_name", user_domain_name, true)?;
                check_text("project_name", project_name, true)?;
                check_text("project_domain_name", project_domain_name, true)?;
                check_secret("password", password)
            }
            Self::ApplicationCredential { id, secret } => {
                check_text("id", id, true)?;
                check_secret("secret", secret)
            }
        }
    }

    /// Who it is, for audits: never the secret.
    pub fn who(&self) -> String {
        match self {
            Self::Password {
                username,
                project_name,
                ..
            } => format!("user {username} in project {project_name}"),
            Self::ApplicationCredential { id, .. } => format!("application credential {id}"),
        }
    }

    /// Everything, secret included, to be sealed; `parse` reads it back.
    pub fn to_text(&self) -> SecretString {
        let value = match self {
            Self::Password {
                username,
                user_domain_name,
                password,
                project_name,
                project_domain_name,
            } => json!({
                "type": "password",
                "username": username,
                "user_domain_name": user_domain_name,
                "password": password.expose_secret(),
                "project_name": project_name,
                "project_domain_name": project_domain_name,
            }),
            Self::ApplicationCredential { id, secret } => json!({
                "type": "application_credential",
                "id": id,
                "secret": secret.expose_secret(),
            }),
        };
        SecretString::from(value.to_string())
    }

    /// Reads what `to_text` wrote; `None` if it did not.
    pub fn parse(text: &SecretString) -> Option<Self> {
        serde_json::from_str(text.expose_secret()).ok()
    }
}

/// A secret that can be sent: bounded, not empty, without control characters. Its value is not shown.
///
/// # Errors
/// `BadName` with the field.
pub fn check_secret(field: &'static str, secret: &SecretString) -> Result<(), AdminRefusal> {
    let text = secret.expose_secret();
    let fits = (1..=SECRET_CHARS_MAX).contains(&text.chars().count());
    if fits && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(AdminRefusal::BadName {
        field: field.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &serde_json::Value) -> Option<SiteCredential> {
        SiteCredential::parse(&SecretString::from(value.to_string()))
    }

    #[test]
    fn what_is_sealed_is_read_back_and_never_printed() {
        for value in [
            json!({"type": "password", "username": "protector", "password": "canary",
                "user_domain_name": "Default", "project_name": "service",
                "project_domain_name": "heat"}),
            json!({"type": "application_credential", "id": "a1", "secret": "canary"}),
        ] {
            let read = read(&value).unwrap();
            assert!(read.check().is_ok());
            let text: serde_json::Value =
                serde_json::from_str(read.to_text().expose_secret()).unwrap();
            assert_eq!(text, value);
            assert!(!format!("{read:?} {}", read.who()).contains("canary"));
        }
    }

    #[test]
    fn domains_have_their_default_and_odd_fields_are_refused() {
        let short = json!({"type": "password", "username": "u", "password": "p",
            "project_name": "service"});
        let Some(SiteCredential::Password {
            user_domain_name,
            project_domain_name,
            ..
        }) = read(&short)
        else {
            panic!("not read");
        };
        assert_eq!(
            [user_domain_name.as_str(), &project_domain_name],
            ["Default", "Default"]
        );
        for odd in [
            json!({"type": "application_credential", "id": "a"}),
            json!({"type": "application_credential", "id": "a", "secret": "s", "x": 1}),
            json!({"type": "token", "id": "a"}),
        ] {
            assert!(read(&odd).is_none(), "{odd}");
        }
        for bad in [
            json!({"type": "application_credential", "id": "a", "secret": ""}),
            json!({"type": "application_credential", "id": "a", "secret": "x\n"}),
            json!({"type": "application_credential", "id": "", "secret": "s"}),
        ] {
            assert!(read(&bad).unwrap().check().is_err(), "{bad}");
        }
    }
}
