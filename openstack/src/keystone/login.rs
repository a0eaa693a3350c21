//! What a login asks of Keystone, per credential and per right to act (SEC-03, SEC-05). Pure.
//! Absent: sending it (`client`), reading the answer (`token`).

use crate::config::Credential;
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// The body of `POST /auth/tokens`. `Denied` at once where the credential can never do it.
pub(crate) fn login_body(credential: &Credential, acting: &Acting) -> PortResult<Value> {
    match credential {
        Credential::Password { .. } => Ok(password_body(credential, acting)),
        Credential::ApplicationCredential { id, secret } => {
            if let Acting::Trust { trust, .. } = acting {
                let what = format!("an application credential cannot act by trust {trust}");
                return Err(PortError::new(ErrorKind::Denied, what));
            }
            // No scope: it has one project, and Keystone refuses the word. `token` checks which.
            let proof = json!({"id": id, "secret": secret.expose_secret()});
            Ok(json!({"auth": {"identity": {
                "methods": ["application_credential"], "application_credential": proof}}}))
        }
    }
}

fn password_body(credential: &Credential, acting: &Acting) -> Value {
    let Credential::Password {
        username,
        user_domain_name,
        password,
        ..
    } = credential
    else {
        return Value::Null;
    };
    let user = json!({
        "name": username,
        "domain": {"name": user_domain_name},
        "password": password.expose_secret(),
    });
    json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": scope(credential, acting),
    }})
}

fn scope(credential: &Credential, acting: &Acting) -> Value {
    match (acting, credential) {
        (Acting::ServiceIn(project), _) => json!({"project": {"id": project.as_str()}}),
        (Acting::Trust { trust, .. }, _) => json!({"OS-TRUST:trust": {"id": trust.as_str()}}),
        (
            Acting::Service,
            Credential::Password {
                project_name,
                project_domain_name,
                ..
            },
        ) => {
            json!({"project": {"name": project_name, "domain": {"name": project_domain_name}}})
        }
        (Acting::Service, Credential::ApplicationCredential { .. }) => Value::Null,
    }
}

/// Whose rights, for people.
pub(crate) fn describe(acting: &Acting) -> String {
    match acting {
        Acting::Service => "as the service".to_owned(),
        Acting::ServiceIn(project) => format!("as the service in project {project}"),
        Acting::Trust { trust, .. } => format!("by trust {trust}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    fn password() -> Credential {
        Credential::Password {
            username: "protector".into(),
            user_domain_name: "Default".into(),
            password: SecretString::from("word"),
            project_name: "service".into(),
            project_domain_name: "Default".into(),
        }
    }

    fn trust() -> Acting {
        Acting::Trust {
            trust: "t1".into(),
            project: "p1".into(),
        }
    }

    #[test]
    fn the_scope_follows_whose_rights_are_used() {
        for (acting, scope) in [
            (
                Acting::Service,
                json!({"project": {"name": "service", "domain": {"name": "Default"}}}),
            ),
            (
                Acting::ServiceIn("p1".into()),
                json!({"project": {"id": "p1"}}),
            ),
            (trust(), json!({"OS-TRUST:trust": {"id": "t1"}})),
        ] {
            let body = login_body(&password(), &acting).unwrap();
            assert_eq!(body["auth"]["scope"], scope);
            assert_eq!(body["auth"]["identity"]["methods"], json!(["password"]));
            let user = &body["auth"]["identity"]["password"]["user"];
            assert_eq!(user["password"], "word");
        }
    }

    #[test]
    fn an_application_credential_asks_for_no_scope_and_takes_no_trust() {
        let secret = SecretString::from("word");
        let credential = Credential::ApplicationCredential {
            id: "a1".into(),
            secret,
        };
        let body = login_body(&credential, &Acting::ServiceIn("p1".into())).unwrap();
        assert!(body["auth"].get("scope").is_none());
        assert_eq!(
            body["auth"]["identity"]["application_credential"]["id"],
            "a1"
        );
        let error = login_body(&credential, &trust()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
    }
}
