//! Who a token speaks for and what the policy files let it do.

use std::collections::BTreeSet;

use super::Cloud;
use super::knobs::Allow;
use super::wire::Fault;

/// The identity behind a valid token.
#[derive(Debug, Clone)]
pub(super) struct Who {
    /// Acting user: the trustor where a trust impersonates.
    pub(super) user_id: String,
    /// Project of the token; `None` for an unscoped one.
    pub(super) project_id: Option<String>,
    /// Role names, implied ones included.
    pub(super) roles: BTreeSet<String>,
    pub(super) trust_id: Option<String>,
    /// The token came from an application credential that is not `unrestricted`.
    pub(super) restricted: bool,
}

impl Who {
    pub(super) fn is_admin(&self) -> bool {
        self.roles.contains("admin")
    }

    /// The token's project; empty for an unscoped token, which owns nothing.
    pub(super) fn project(&self) -> &str {
        self.project_id.as_deref().unwrap_or_default()
    }

    /// Whether objects of `project_id` exist for this caller at all.
    pub(super) fn sees(&self, project_id: &str) -> bool {
        self.is_admin() || self.project_id.as_deref() == Some(project_id)
    }

    fn passes(&self, allow: &Allow) -> bool {
        match allow {
            Allow::Anyone => !self.roles.is_empty(),
            Allow::Member => self.is_admin() || self.roles.contains("member"),
            Allow::Admin => self.is_admin(),
            Allow::Roles(names) => names.iter().any(|name| self.roles.contains(name)),
            Allow::Nobody => false,
        }
    }
}

impl Cloud {
    /// Whether `who` passes `rule`; the knob wins over the built-in default.
    pub(super) fn allows(&self, who: &Who, rule: &str, default: &Allow) -> bool {
        who.passes(self.knobs.policies.get(rule).unwrap_or(default))
    }

    /// As `allows`, with the 403 that Nova and Cinder answer.
    pub(super) fn enforce(&self, who: &Who, rule: &str, default: &Allow) -> Result<(), Fault> {
        if self.allows(who, rule, default) {
            return Ok(());
        }
        Err(Fault::forbidden(format!(
            "Policy doesn't allow {rule} to be performed."
        )))
    }
}
