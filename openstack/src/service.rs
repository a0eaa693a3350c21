//! The five services and what differs between them in general: names, catalog types, how an
//! endpoint of the catalog becomes the address calls are made to. Absent: the calls.

use http::Uri;

/// A service of one cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    Identity,
    Compute,
    Volume,
    Network,
    Image,
}

impl Service {
    /// Name for people, in error sentences and call logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Identity => "keystone",
            Self::Compute => "nova",
            Self::Volume => "cinder",
            Self::Network => "neutron",
            Self::Image => "glance",
        }
    }

    /// Types under which a catalog may list it, best first.
    pub(crate) fn catalog_types(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["identity"],
            Self::Compute => &["compute"],
            Self::Volume => &["block-storage", "volumev3", "block-store"],
            Self::Network => &["network"],
            Self::Image => &["image"],
        }
    }

    /// The word in `OpenStack-API-Version`.
    pub(crate) fn microversion_word(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            other => other.catalog_types().first().copied().unwrap_or(""),
        }
    }

    /// Path to add when the catalog's URL says no version (Neutron and Glance never do).
    fn default_version(self) -> &'static str {
        match self {
            Self::Identity | Self::Volume => "/v3",
            Self::Compute => "/v2.1",
            Self::Network => "/v2.0",
            Self::Image => "/v2",
        }
    }

    /// The address below which calls of this service go. `None`: `url` is no plain http(s) URL.
    pub(crate) fn base_url(self, url: &str, project_id: Option<&str>) -> Option<String> {
        let url = url.trim().trim_end_matches('/');
        if !is_plain_url(url) {
            return None;
        }
        if version_end(url).is_some() {
            return Some(url.to_owned());
        }
        let mut base = format!("{url}{}", self.default_version());
        if let (Self::Volume, Some(project)) = (self, project_id) {
            base = format!("{base}/{project}");
        }
        Some(base)
    }
}

/// `base` up to and with its version, where the version document is. Without a version: all of it.
pub(crate) fn version_root(base: &str) -> String {
    let end = version_end(base).unwrap_or(base.len());
    format!("{}/", base.get(..end).unwrap_or(base))
}

/// Only `http(s)://host/path`: no query, no user in it (S16).
fn is_plain_url(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let scheme_known = matches!(uri.scheme_str(), Some("http" | "https"));
    let host_alone = uri
        .authority()
        .is_some_and(|host| !host.as_str().contains('@') && !host.host().is_empty());
    scheme_known && host_alone && uri.query().is_none()
}

/// Index just behind the last path segment that is a version: `v3`, `v2.1`.
fn version_end(url: &str) -> Option<usize> {
    let path_start = url.find("://")? + 3;
    let mut end = path_start;
    let mut found = None;
    for (nth, segment) in url.get(path_start..)?.split('/').enumerate() {
        end += segment.len() + usize::from(nth > 0);
        if nth > 0 && is_version(segment) {
            found = Some(end);
        }
    }
    found
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_become_addresses() {
        for (service, url, expected) in [
            (
                Service::Network,
                "http://c/network",
                Some("http://c/network/v2.0"),
            ),
            (
                Service::Network,
                "http://c:9696/",
                Some("http://c:9696/v2.0"),
            ),
            (
                Service::Network,
                "http://c:9696/v2.0/",
                Some("http://c:9696/v2.0"),
            ),
            (
                Service::Image,
                "https://c/image",
                Some("https://c/image/v2"),
            ),
            (
                Service::Compute,
                "http://c/compute/v2.1",
                Some("http://c/compute/v2.1"),
            ),
            (
                Service::Compute,
                "http://v2/compute",
                Some("http://v2/compute/v2.1"),
            ),
            (
                Service::Volume,
                "http://c/volume/v3/p1",
                Some("http://c/volume/v3/p1"),
            ),
            (
                Service::Volume,
                "http://c/volume",
                Some("http://c/volume/v3/p1"),
            ),
            (
                Service::Identity,
                "http://c/identity",
                Some("http://c/identity/v3"),
            ),
            (Service::Compute, "file:///etc/passwd", None),
            (Service::Compute, "http://user:word@c/compute", None),
            (Service::Compute, "http://c/compute?x=1", None),
            (Service::Compute, "compute", None),
        ] {
            let got = service.base_url(url, Some("p1"));
            assert_eq!(got.as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn the_version_document_is_at_the_version() {
        assert_eq!(
            version_root("http://c/compute/v2.1"),
            "http://c/compute/v2.1/"
        );
        assert_eq!(
            version_root("http://c/compute/v2.1/p1"),
            "http://c/compute/v2.1/"
        );
        assert_eq!(version_root("http://c/odd"), "http://c/odd/");
    }
}
