//! Whether an offer may be pinned to a registered site, and what that changes.
//!
//! Absent: the exchange, which is done by administrators at both sites.

use super::AdminRefusal;
use crate::ids::SiteId;
use crate::sync::{PairOffer, fingerprint_matches, offer_fault};
use serde::{Deserialize, Serialize};

/// What the administrator gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairAsk {
    pub offer: PairOffer,
    /// As read at the other site, by a way that the offer did not take.
    pub fingerprint: String,
    /// Pin even if something else is pinned there.
    pub replace: bool,
}

/// What is so here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairFacts {
    /// Of this very site.
    pub me: SiteId,
    /// The registered site, by name and by the id it has now.
    pub name: String,
    pub id: SiteId,
    pub pinned: Option<PairOffer>,
    /// The other registered site that has the offered id.
    pub other: Option<String>,
    /// Groups that name the registered site by the id it has now.
    pub groups: usize,
}

/// What pinning does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinning {
    /// The same offer is pinned already.
    Unchanged,
    /// Nothing was pinned.
    First,
    /// Other keys or another installation were pinned, and are worthless from now on.
    Replaced,
}

/// Decides; the first reason against it, since none of them leaves the others a meaning.
///
/// # Errors
/// `BadOffer`, `FingerprintMismatch`, `OwnOffer`, `SiteTaken`, `OtherInstallation` (fault `C9`),
/// `OtherKeys`, `SiteInUse`.
pub fn decide_pair(ask: &PairAsk, facts: &PairFacts) -> Result<Pinning, AdminRefusal> {
    let offer = &ask.offer;
    if let Some(why) = offer_fault(offer) {
        let why = why.to_owned();
        return Err(AdminRefusal::BadOffer { why });
    }
    if !fingerprint_matches(offer, &ask.fingerprint) {
        return Err(AdminRefusal::FingerprintMismatch);
    }
    if offer.site == facts.me {
        return Err(AdminRefusal::OwnOffer);
    }
    if let Some(site) = facts.other.clone() {
        let offered = offer.site;
        return Err(AdminRefusal::SiteTaken { site, offered });
    }
    let pinning = pinning(ask, facts)?;
    if offer.site != facts.id && facts.groups > 0 {
        return Err(AdminRefusal::SiteInUse {
            site: facts.name.clone(),
            groups: facts.groups,
        });
    }
    Ok(pinning)
}

fn pinning(ask: &PairAsk, facts: &PairFacts) -> Result<Pinning, AdminRefusal> {
    let Some(pinned) = &facts.pinned else {
        return Ok(Pinning::First);
    };
    if pinned.is_same(&ask.offer) {
        return Ok(Pinning::Unchanged);
    }
    if ask.replace {
        return Ok(Pinning::Replaced);
    }
    let site = facts.name.clone();
    let is_other_installation =
        pinned.installation != ask.offer.installation || pinned.site != ask.offer.site;
    Err(if is_other_installation {
        AdminRefusal::OtherInstallation { site }
    } else {
        AdminRefusal::OtherKeys { site }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{SigningIdentity, fingerprint};
    use uuid::Uuid;

    fn site(n: u128) -> SiteId {
        SiteId(Uuid::from_u128(n))
    }

    fn offer(at: u128, installation: u128, seed: u8) -> PairOffer {
        let identity = SigningIdentity::from_seed(site(at), &[seed; 32]);
        PairOffer::of(&identity, Uuid::from_u128(installation))
    }

    fn ask(offer: PairOffer) -> PairAsk {
        let fingerprint = fingerprint(&offer);
        PairAsk {
            offer,
            fingerprint,
            replace: false,
        }
    }

    fn facts() -> PairFacts {
        PairFacts {
            me: site(1),
            name: "site-b".to_owned(),
            id: site(0xdead),
            pinned: None,
            other: None,
            groups: 0,
        }
    }

    fn pinned(offer: PairOffer) -> PairFacts {
        PairFacts {
            id: offer.site,
            pinned: Some(offer),
            ..facts()
        }
    }

    fn check(ask: &PairAsk, facts: &PairFacts, expected: &str) {
        let shown = match decide_pair(ask, facts) {
            Ok(pinning) => format!("{pinning:?}"),
            Err(refusal) => refusal.code().to_owned(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_new_site_is_pinned_once() {
        let b = offer(2, 20, 2);
        check(&ask(b.clone()), &facts(), "First");
        check(&ask(b.clone()), &pinned(b), "Unchanged");
    }

    #[test]
    fn offers_that_are_not_what_they_seem() {
        let b = offer(2, 20, 2);
        let typed = PairAsk {
            fingerprint: fingerprint(&offer(2, 20, 3)),
            ..ask(b.clone())
        };
        check(&typed, &facts(), "fingerprint_mismatch");
        let empty = PairOffer {
            keys: vec![],
            ..b.clone()
        };
        check(&ask(empty), &facts(), "bad_offer");
        check(&ask(offer(1, 10, 1)), &facts(), "own_offer");
        let other = Some("old-b".to_owned());
        check(&ask(b), &PairFacts { other, ..facts() }, "site_taken");
    }

    #[test]
    fn what_is_pinned_is_replaced_on_purpose_only() {
        let before = offer(2, 20, 2);
        let cases = [
            (offer(2, 20, 3), "other_keys"),
            (offer(2, 21, 2), "other_installation"),
            (offer(3, 30, 3), "other_installation"),
        ];
        for (new, refusal) in cases {
            let asked = ask(new);
            check(&asked, &pinned(before.clone()), refusal);
            let replace = PairAsk {
                replace: true,
                ..asked
            };
            check(&replace, &pinned(before.clone()), "Replaced");
        }
    }

    #[test]
    fn groups_keep_the_id_they_know() {
        let used = |facts| PairFacts { groups: 2, ..facts };
        let before = offer(2, 20, 2);
        let replace = |offer| PairAsk {
            replace: true,
            ..ask(offer)
        };
        check(
            &replace(offer(3, 30, 3)),
            &used(pinned(before.clone())),
            "site_in_use",
        );
        check(&replace(offer(2, 20, 3)), &used(pinned(before)), "Replaced");
        check(&ask(offer(2, 20, 2)), &used(facts()), "site_in_use");
    }
}
