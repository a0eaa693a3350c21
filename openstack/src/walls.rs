//! The wall between projects (S14). A service user that is an administrator sees everybody's objects,
//! also when its token is scoped to one tenant's project; what it may *show* there is that tenant's.

use protector_domain::ports::Acting;

/// True when an object of project `owner` is not to be seen by `acting`: it counts as absent.
pub(crate) fn is_walled_off(acting: &Acting, owner: &str) -> bool {
    match acting {
        Acting::Service => false,
        Acting::ServiceIn(project) | Acting::Trust { project, .. } => project.as_str() != owner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_service_itself_looks_over_walls() {
        let trust = Acting::Trust {
            trust: "t".into(),
            project: "p1".into(),
        };
        for acting in [Acting::ServiceIn("p1".into()), trust] {
            assert!(!is_walled_off(&acting, "p1"));
            assert!(is_walled_off(&acting, "p2"));
            assert!(is_walled_off(&acting, ""));
        }
        assert!(!is_walled_off(&Acting::Service, "p2"));
    }
}
