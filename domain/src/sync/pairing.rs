//! What two sites show each other once, carried by administrators: who I am and my public keys.
//! The fingerprint is what people compare.
//!
//! Absent: keeping offers, and deciding whether one may be pinned (`admin::pair`).

use super::digest::Digest;
use super::frame::{KeyId, Peer, PinnedKey, SigningIdentity};
use crate::ids::SiteId;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Keys of one site at most: the newest, and those that a rotation has not retired yet.
pub const OFFER_KEYS_MAX: usize = 8;

const FINGERPRINT_GROUP_CHARS: usize = 4;

/// A public key of a site, as shown and as stored where it is pinned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    pub key_id: KeyId,
    /// Ed25519, hex.
    pub ed25519: String,
    pub retired: bool,
}

/// Who a site is, for another to pin (protocol section 10, "Pairing and rotation").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairOffer {
    pub site: SiteId,
    /// Tells a site from its restored clone (fault `C9`).
    pub installation: Uuid,
    pub keys: Vec<PublicKey>,
}

impl PairOffer {
    /// What this site shows of itself.
    pub fn of(identity: &SigningIdentity, installation: Uuid) -> Self {
        let pinned = identity.as_peer().keys.into_iter();
        let keys = pinned.map(|(key_id, pinned)| PublicKey {
            key_id,
            ed25519: hex::encode(pinned.key.to_bytes()),
            retired: pinned.retired,
        });
        Self {
            site: identity.site,
            installation,
            keys: keys.collect(),
        }
    }

    /// The same offer has the same spelling, in whichever order its keys were listed.
    fn sorted(&self) -> Self {
        let mut sorted = self.clone();
        sorted.keys.sort();
        sorted
    }

    /// True when both say the same; the order of keys says nothing.
    pub fn is_same(&self, other: &Self) -> bool {
        self.sorted() == other.sorted()
    }
}

/// SHA-256 of the offer's canonical JSON: lower-case hex in groups of four, with dashes.
pub fn fingerprint(offer: &PairOffer) -> String {
    let sorted = offer.sorted();
    // Text and booleans always have a canonical form; were it not so, the digest must still differ
    // between offers.
    let digest = Digest::of_json(&sorted)
        .unwrap_or_else(|_| Digest::of_bytes(format!("{sorted:?}").as_bytes()));
    let mut shown = String::new();
    for (at, digit) in digest.as_str().chars().enumerate() {
        if at > 0 && at % FINGERPRINT_GROUP_CHARS == 0 {
            shown.push('-');
        }
        shown.push(digit);
    }
    shown
}

/// True when `typed` is the offer's fingerprint, whole; case and separators do not matter.
pub fn fingerprint_matches(offer: &PairOffer, typed: &str) -> bool {
    let digits = |text: &str| -> String {
        let kept = text
            .chars()
            .filter(|c| !matches!(c, '-' | ':') && !c.is_whitespace());
        kept.map(|c| c.to_ascii_lowercase()).collect()
    };
    digits(typed) == digits(&fingerprint(offer))
}

/// The key as it verifies, if it is one and carries its own id.
fn pinned_of(key: &PublicKey) -> Option<PinnedKey> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(&key.ed25519, &mut bytes).ok()?;
    let verifying = VerifyingKey::from_bytes(&bytes).ok()?;
    let is_sound = KeyId::of(&verifying) == key.key_id && !verifying.is_weak();
    is_sound.then_some(PinnedKey {
        key: verifying,
        retired: key.retired,
    })
}

/// The site with its pinned keys; what cannot be read, or does not carry its own id, is not pinned.
pub fn peer_of(offer: &PairOffer) -> Peer {
    let readable = offer
        .keys
        .iter()
        .filter_map(|key| Some((key.key_id.clone(), pinned_of(key)?)));
    Peer {
        site: offer.site,
        keys: readable.collect(),
    }
}

/// Why an offer is no offer: something to pin, all of it readable, each key once. `None`: sound.
pub fn offer_fault(offer: &PairOffer) -> Option<&'static str> {
    let peer = peer_of(offer);
    if offer.keys.len() > OFFER_KEYS_MAX {
        return Some("it has too many keys");
    }
    if peer.keys.len() != offer.keys.len() {
        return Some("a key in it is unreadable, repeated, or does not carry its own id");
    }
    if peer.keys.values().all(|pinned| pinned.retired) {
        return Some("it has no key in use");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(seed: u8) -> PairOffer {
        let identity = SigningIdentity::from_seed(SiteId(Uuid::from_u128(1)), &[seed; 32]);
        PairOffer::of(&identity, Uuid::from_u128(2))
    }

    #[test]
    fn whatever_changes_changes_the_fingerprint() {
        let base = offer(1);
        let other_site = PairOffer {
            site: SiteId(Uuid::from_u128(9)),
            ..base.clone()
        };
        let other_installation = PairOffer {
            installation: Uuid::from_u128(9),
            ..base.clone()
        };
        let mut more = base.clone();
        more.keys.extend(offer(2).keys);
        let mut retired = base.clone();
        retired.keys[0].retired = true;
        let all = [
            &base,
            &offer(2),
            &other_site,
            &other_installation,
            &more,
            &retired,
        ]
        .map(fingerprint);
        for (i, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 79, "{one}");
            assert!(all.iter().skip(i + 1).all(|other| one != other));
        }
        let mut turned = more.clone();
        turned.keys.reverse();
        assert_eq!(fingerprint(&more), fingerprint(&turned));
        assert!(more.is_same(&turned) && !more.is_same(&base));
    }

    #[test]
    fn people_type_fingerprints_as_they_like_but_whole() {
        let offer = offer(1);
        let shown = fingerprint(&offer);
        let bare = shown.replace('-', "");
        for good in [
            shown.clone(),
            bare.clone(),
            bare.to_uppercase(),
            format!(" {} ", shown.replace('-', ":")),
        ] {
            assert!(fingerprint_matches(&offer, &good), "{good}");
        }
        for bad in [
            "",
            "-",
            &bare[..63],
            &format!("{bare}0"),
            &fingerprint(&self::offer(2)),
        ] {
            assert!(!fingerprint_matches(&offer, bad), "{bad}");
        }
    }

    #[test]
    fn an_offer_comes_back_from_json_as_the_peer_it_was() {
        let identity = SigningIdentity::from_seed(SiteId(Uuid::from_u128(1)), &[1; 32]);
        let text = serde_json::to_string(&offer(1)).unwrap();
        let read: PairOffer = serde_json::from_str(&text).unwrap();
        assert_eq!(peer_of(&read), identity.as_peer());
        assert_eq!(offer_fault(&read), None);
    }

    #[test]
    fn broken_offers_are_told() {
        let check = |change: &dyn Fn(&mut PairOffer), expected: &str| {
            let mut broken = offer(1);
            change(&mut broken);
            assert!(offer_fault(&broken).unwrap().contains(expected));
        };
        check(&|o| o.keys.clear(), "no key in use");
        check(&|o| o.keys[0].retired = true, "no key in use");
        check(&|o| o.keys[0].ed25519 = "zz".repeat(32), "unreadable");
        check(&|o| o.keys[0].key_id = KeyId("0".repeat(16)), "its own id");
        check(&|o| o.keys.push(o.keys[0].clone()), "repeated");
        check(
            &|o| o.keys = vec![o.keys[0].clone(); OFFER_KEYS_MAX + 1],
            "too many",
        );
        let mut borrowed = offer(1);
        borrowed.keys[0].ed25519 = offer(2).keys[0].ed25519.clone();
        assert!(peer_of(&borrowed).keys.is_empty());
        // The neutral point: every signature of it verifies.
        let neutral = format!("01{}", "00".repeat(31));
        let mut bytes = [0; 32];
        hex::decode_to_slice(&neutral, &mut bytes).unwrap();
        let key_id = KeyId::of(&VerifyingKey::from_bytes(&bytes).unwrap());
        check(
            &|o| {
                o.keys[0].ed25519 = neutral.clone();
                o.keys[0].key_id = key_id.clone();
            },
            "unreadable",
        );
    }
}
