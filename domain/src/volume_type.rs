//! Whether a volume type replicates (VT-01, VT-03), and who serves it. Absent: asking Cinder.

use crate::ports::volumes::{VolumePool, VolumeService, VolumeType};
use crate::record::ReplicationType;

const ENABLED_SPEC: &str = "replication_enabled";
const MODE_SPEC: &str = "replication_type";
const BACKEND_SPEC: &str = "volume_backend_name";

fn spec<'a>(found: &'a VolumeType, key: &str) -> &'a str {
    let value = found.extra_specs.get(key).map(|v| v.trim());
    value.unwrap_or_default()
}

/// `replication_enabled`, as Cinder spells it.
pub fn is_enabled(found: &VolumeType) -> bool {
    spec(found, ENABLED_SPEC).eq_ignore_ascii_case("<is> true")
}

/// `replication_type` as a mode; C9: the mode may stand alone too. `None`: no mode that we know.
pub fn mode_of(found: &VolumeType) -> Option<ReplicationType> {
    let kind = spec(found, MODE_SPEC);
    match kind.strip_prefix("<in>").unwrap_or(kind).trim() {
        "async" => Some(ReplicationType::Async),
        "sync" => Some(ReplicationType::Sync),
        _ => None,
    }
}

/// VT-01: both properties, and the mode is this one.
pub fn is_replicated(found: &VolumeType, mode: ReplicationType) -> bool {
    is_enabled(found) && mode_of(found) == Some(mode)
}

/// The pool of a running cinder-volume that serves the type (G4, G5).
pub fn serving_pool<'a>(
    found: &VolumeType,
    services: &[VolumeService],
    pools: &'a [VolumePool],
) -> Option<&'a VolumePool> {
    let backend = found.extra_specs.get(BACKEND_SPEC);
    let is_up = |pool: &str| {
        let host = pool.split('#').next().unwrap_or(pool);
        services.iter().any(|s| s.host == host && s.up && s.enabled)
    };
    let serves = |name: &String| backend.is_none_or(|wanted| wanted == name);
    pools
        .iter()
        .find(|p| serves(&p.volume_backend_name) && is_up(&p.name))
}

/// A type as an administrator reads it (SITE-04).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Eligibility {
    pub id: String,
    pub name: String,
    pub replication_enabled: bool,
    /// `None`: no mode that we know.
    pub replication_type: Option<ReplicationType>,
    /// Why its volumes cannot be protected; `None`: they can.
    pub against: Option<String>,
}

/// Judges one type. `served`: whether a running cinder-volume serves it; `None`: could not be asked.
pub fn eligibility(found: &VolumeType, served: Option<bool>) -> Eligibility {
    let mode = mode_of(found);
    let against = if !is_enabled(found) {
        Some(format!("{ENABLED_SPEC} is not '<is> True'"))
    } else if mode.is_none() {
        Some(format!(
            "{MODE_SPEC} is neither '<in> async' nor '<in> sync'"
        ))
    } else if served == Some(false) {
        Some("no cinder-volume service that is up serves it".to_owned())
    } else {
        None
    };
    Eligibility {
        id: found.id.clone(),
        name: found.name.clone(),
        replication_enabled: is_enabled(found),
        replication_type: mode,
        against,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(enabled: &str, mode: &str) -> VolumeType {
        let specs = [
            (ENABLED_SPEC, enabled),
            (MODE_SPEC, mode),
            (BACKEND_SPEC, "a"),
        ];
        let specs = specs.into_iter().filter(|(_, value)| !value.is_empty());
        VolumeType {
            id: "1".to_owned(),
            name: "gold".to_owned(),
            extra_specs: specs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            is_public: true,
        }
    }

    #[test]
    fn both_properties_are_needed_and_somebody_who_serves_it() {
        let against = |enabled, mode, served| eligibility(&of(enabled, mode), served).against;
        assert_eq!(against("<is> True", "<in> async", Some(true)), None);
        assert_eq!(against(" <is> true ", "sync", None), None);
        for (enabled, mode) in [
            ("", "<in> async"),
            ("True", "<in> async"),
            ("<is> False", "async"),
        ] {
            let why = against(enabled, mode, Some(true)).unwrap_or_default();
            assert!(why.contains(ENABLED_SPEC), "{enabled}: {why}");
        }
        for mode in ["", "<in> both"] {
            let why = against("<is> True", mode, Some(true)).unwrap_or_default();
            assert!(why.contains(MODE_SPEC), "{mode}: {why}");
        }
        let why = against("<is> True", "<in> async", Some(false)).unwrap_or_default();
        assert!(why.contains("cinder-volume"), "{why}");
    }

    #[test]
    fn a_pool_serves_when_its_back_end_fits_and_its_service_is_up() {
        let pool = |name: &str, backend: &str| VolumePool {
            name: name.to_owned(),
            volume_backend_name: backend.to_owned(),
        };
        let service = |host: &str, up, enabled| VolumeService {
            host: host.to_owned(),
            zone: "nova".to_owned(),
            enabled,
            up,
        };
        let pools = [pool("h@b#p", "b"), pool("h@a#p", "a")];
        let found = of("<is> True", "<in> async");
        let serving = |services: &[VolumeService]| serving_pool(&found, services, &pools).is_some();
        assert!(serving(&[
            service("h@b", true, true),
            service("h@a", true, true)
        ]));
        assert!(!serving(&[
            service("h@b", true, true),
            service("h@a", false, true)
        ]));
        assert!(!serving(&[service("h@a", true, false)]));
    }
}
