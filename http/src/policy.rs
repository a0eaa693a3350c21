//! Who may do what: one table from need, roles and project to a verdict.
//!
//! Absent: tokens (`auth`) and the needs of single paths (`route`).

use protector_domain::ports::identity::TokenInfo;

/// What a path asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing at all, not even a token.
    Open,
    /// Any valid token.
    Token,
    /// To look at the project.
    Read,
    /// To change something in the project.
    Write,
    /// To run the service.
    Admin,
}

/// The roles that count here. Others are ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Roles {
    pub reader: bool,
    pub member: bool,
    pub admin: bool,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    /// 404: as if nothing were there (S14, K7).
    Hide,
    /// 403: it is there, and the role does not suffice (K17).
    Forbid,
}

impl Roles {
    /// Names as Keystone gives them; compared without case, as OpenStack's policy engine does.
    pub fn of(names: &[String]) -> Self {
        let has = |role: &str| names.iter().any(|name| name.eq_ignore_ascii_case(role));
        Self {
            reader: has("reader"),
            member: has("member"),
            admin: has("admin"),
        }
    }
}

/// The table. `own`: the project in the path is the one the token is scoped to.
pub fn decide(need: Need, roles: Roles, own: bool) -> Verdict {
    let Roles {
        reader,
        member,
        admin,
    } = roles;
    match need {
        Need::Open | Need::Token => Verdict::Allow,
        Need::Admin | Need::Read | Need::Write if admin => Verdict::Allow,
        Need::Admin => Verdict::Forbid,
        Need::Read | Need::Write if !own => Verdict::Hide,
        Need::Read if reader || member => Verdict::Allow,
        Need::Write if member => Verdict::Allow,
        Need::Read | Need::Write => Verdict::Forbid,
    }
}

/// True when `tenant` is the project that the token is scoped to.
pub fn is_own(token: &TokenInfo, tenant: &str) -> bool {
    token
        .project_id
        .as_ref()
        .is_some_and(|project| project.as_str() == tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(roles: &[&str], own: bool, expected: &str) {
        let names: Vec<String> = roles.iter().map(ToString::to_string).collect();
        let needs = [
            Need::Open,
            Need::Token,
            Need::Read,
            Need::Write,
            Need::Admin,
        ];
        let line: Vec<String> = needs
            .iter()
            .map(|need| format!("{:?}", decide(*need, Roles::of(&names), own)))
            .collect();
        assert_eq!(
            line.join(" "),
            expected,
            "roles {roles:?}, own project: {own}"
        );
    }

    #[test]
    fn the_table_open_token_read_write_admin() {
        check(&[], true, "Allow Allow Forbid Forbid Forbid");
        check(&["auditor"], true, "Allow Allow Forbid Forbid Forbid");
        check(&["reader"], true, "Allow Allow Allow Forbid Forbid");
        check(&["member"], true, "Allow Allow Allow Allow Forbid");
        check(
            &["Member", "reader"],
            true,
            "Allow Allow Allow Allow Forbid",
        );
        check(&["admin"], true, "Allow Allow Allow Allow Allow");
        check(&["reader", "member"], false, "Allow Allow Hide Hide Forbid");
        check(&["admin"], false, "Allow Allow Allow Allow Allow");
    }

    #[test]
    fn an_unscoped_token_owns_no_project() {
        let mut token = TokenInfo {
            user_id: "u".into(),
            user_name: "u".into(),
            project_id: None,
            project_name: None,
            roles: vec![],
            expires_at_s: 0,
        };
        assert!(!is_own(&token, ""));
        token.project_id = Some("p".into());
        assert!(is_own(&token, "p") && !is_own(&token, "P"));
    }
}
