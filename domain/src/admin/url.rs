//! Which URLs may be registered (fault `K11`): a service of somebody else, never this machine or a
//! metadata service, however its address is spelled.
//!
//! Absent: resolving names. Where a name leads is checked when somebody connects.

use super::{AdminRefusal, UrlFault};
use std::net::{Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

const URL_BYTES_MAX: usize = 2_048;
/// Names that clouds give to this machine or to their metadata services.
const FORBIDDEN_NAMES: &[&str] = &["metadata", "metadata.google.internal", "instance-data"];
/// Metadata services outside the link-local range.
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// What the site's configuration permits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UrlRules {
    /// This machine may be registered: for laptops and tests. Metadata addresses stay refused.
    pub allow_loopback: bool,
}

/// Judges a URL.
///
/// # Errors
/// `BadUrl` with what is wrong.
pub fn check_url(field: &'static str, text: &str, rules: UrlRules) -> Result<(), AdminRefusal> {
    fault(text, rules).map_or(Ok(()), |fault| {
        Err(AdminRefusal::BadUrl {
            field: field.to_owned(),
            fault,
        })
    })
}

fn fault(text: &str, rules: UrlRules) -> Option<UrlFault> {
    // What parsers drop or turn in silence is read differently by the next parser.
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    let lower = text.to_ascii_lowercase();
    let rest = lower
        .strip_prefix("http://")
        .or_else(|| lower.strip_prefix("https://"));
    // A third slash is skipped by some parsers and an empty host to others.
    let has_host = rest.is_some_and(|rest| !rest.starts_with('/'));
    if text.len() > URL_BYTES_MAX || text.contains(is_odd) || !has_host {
        return Some(UrlFault::Malformed);
    }
    let Ok(url) = Url::parse(text) else {
        return Some(UrlFault::Malformed);
    };
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return Some(UrlFault::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some(UrlFault::Tail);
    }
    let fault = match url.host() {
        None => Some(UrlFault::Malformed),
        Some(Host::Domain(name)) => name_fault(name),
        Some(Host::Ipv4(address)) => v4_fault(address),
        Some(Host::Ipv6(address)) => v6_fault(address),
    };
    fault.filter(|fault| !(rules.allow_loopback && *fault == UrlFault::Loopback))
}

fn name_fault(name: &str) -> Option<UrlFault> {
    let name = name.trim_end_matches('.');
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(UrlFault::Loopback);
    }
    if name.is_empty() {
        return Some(UrlFault::Malformed);
    }
    FORBIDDEN_NAMES
        .contains(&name)
        .then_some(UrlFault::Forbidden)
}

fn v4_fault(address: Ipv4Addr) -> Option<UrlFault> {
    if address.is_loopback() {
        return Some(UrlFault::Loopback);
    }
    let [first, ..] = address.octets();
    let is_forbidden = first == 0
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address == METADATA_V4;
    is_forbidden.then_some(UrlFault::Forbidden)
}

fn v6_fault(address: Ipv6Addr) -> Option<UrlFault> {
    if address.is_loopback() {
        return Some(UrlFault::Loopback);
    }
    let is_forbidden = address.is_unspecified()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || address == METADATA_V6;
    if is_forbidden {
        return Some(UrlFault::Forbidden);
    }
    inner_v4(address).and_then(v4_fault)
}

/// The IPv4 address inside: mapped, compatible, translated (NAT64) or tunnelled (6to4).
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<UrlFault>) {
        assert_eq!(fault(text, UrlRules::default()), expected, "{text}");
    }

    #[test]
    fn services_elsewhere_are_fine() {
        for good in [
            "http://site-b.cloud.test/identity/v3",
            "https://keystone.example.org:5000/v3",
            "HTTPS://10.0.0.5:5000",
            "https://[2001:db8::5]:5000/v3",
            "http://[fd12::1]",
            "http://localhost.example.org",
            "http://192.168.169.254",
        ] {
            check(good, None);
        }
    }

    #[test]
    fn this_machine_in_any_spelling() {
        for loopback in [
            "http://127.0.0.1",
            "http://127.255.0.1:5000/v3",
            "http://127.1",
            "http://2130706433",
            "http://0x7f000001",
            "http://0x7f.1",
            "http://0177.0.0.1",
            "http://%31%32%37.0.0.1",
            "http://１２７.0.0.1",
            "http://[::1]",
            "http://[0:0:0:0:0:0:0:1]",
            "http://[::ffff:127.0.0.1]",
            "http://[::ffff:7f00:1]",
            "http://[::127.0.0.1]",
            "http://[64:ff9b::7f00:1]",
            "http://[2002:7f00:1::]",
            "http://localhost:8788",
            "http://LOCALHOST.",
            "http://a.localhost",
        ] {
            check(loopback, Some(UrlFault::Loopback));
            let allowed = UrlRules {
                allow_loopback: true,
            };
            assert_eq!(fault(loopback, allowed), None, "{loopback}");
        }
    }

    #[test]
    fn metadata_and_nowhere_even_where_this_machine_is_allowed() {
        for bad in [
            "http://169.254.169.254/latest",
            "http://2852039166",
            "http://0xa9fea9fe",
            "http://0251.0376.0251.0376",
            "http://169.254.43518",
            "http://[::ffff:169.254.169.254]",
            "http://[::ffff:a9fe:a9fe]",
            "http://[64:ff9b::169.254.169.254]",
            "http://[2002:a9fe:a9fe::1]",
            "http://[fe80::1]",
            "http://[fd00:ec2::254]",
            "http://100.100.100.200",
            "http://0.0.0.0",
            "http://0",
            "http://0.1.2.3",
            "http://[::]",
            "http://[::ffff:0.0.0.0]",
            "http://224.0.0.1",
            "http://255.255.255.255",
            "http://[ff02::1]",
            "http://metadata.google.internal/",
            "http://Metadata.",
        ] {
            let allowed = UrlRules {
                allow_loopback: true,
            };
            assert_eq!(fault(bad, allowed), Some(UrlFault::Forbidden), "{bad}");
        }
    }

    #[test]
    fn what_is_no_plain_url_of_a_service() {
        for bad in [
            "",
            "file:///etc/passwd",
            "gopher://a",
            "ftp://a",
            "site-b",
            "//site-b",
            "http:site-b",
            "http:/site-b",
            "http://",
            "http:///v3",
            "http://a b",
            "http://a\n.b",
            " http://a",
            "http://a\\b",
            "http://.",
            "http://[::1",
            "http://256.256.256.256",
            "http://a:99999",
        ] {
            check(bad, Some(UrlFault::Malformed));
        }
        check(
            &format!("http://a/{}", "x".repeat(URL_BYTES_MAX)),
            Some(UrlFault::Malformed),
        );
        check("http://user@a", Some(UrlFault::Credentials));
        check(
            "http://good.example.org:pw@127.0.0.1",
            Some(UrlFault::Credentials),
        );
        check("http://@a", Some(UrlFault::Credentials));
        check("http://a?x=1", Some(UrlFault::Tail));
        check("http://a#x", Some(UrlFault::Tail));
    }
}
