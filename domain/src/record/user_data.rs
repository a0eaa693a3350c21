//! What a member was booted with: a secret in practice (H15). It stands in the record sealed for both sites,
//! and goes into the boot request and nowhere else.
//!
//! Pure. Absent: asking Nova for it.

use crate::ids::{GroupId, MemberId};
use crate::sync::{
    OpenError, Peer, Role, SealEntropy, SealPlace, SealedForBoth, SigningIdentity, open_sealed,
    seal_for_both,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// Most of one member, letters of base64: what Nova itself takes.
pub const USER_DATA_LETTERS_MAX: usize = 65_535;
/// Most of all members of a group, letters; a record has to fit into one message.
pub const USER_DATA_OF_GROUP_LETTERS_MAX: usize = 512 * 1024;

/// A member's user data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserData {
    /// It had none, or Nova shows it to nobody but administrators and we are none.
    #[default]
    None,
    Sealed(SealedForBoth),
    /// It has some, and it does not travel with the member.
    NotKept {
        why: String,
    },
}

/// Whose it is.
pub struct UserDataOf<'a> {
    pub group: GroupId,
    pub member: MemberId,
    pub home: &'a Peer,
    pub other: &'a Peer,
    /// Letters that the group's other members have used up.
    pub used: usize,
}

fn place(group: GroupId, member: MemberId) -> String {
    format!("user_data/{group}/{member}")
}

impl UserDataOf<'_> {
    /// `text`: as Nova gave it, base64.
    pub fn keep(&self, text: &SecretString, entropy: &SealEntropy) -> UserData {
        let text = text.expose_secret();
        let not = |why: &str| UserData::NotKept {
            why: why.to_owned(),
        };
        if text.len() > USER_DATA_LETTERS_MAX {
            return not("it is larger than Nova takes");
        }
        if self.used.saturating_add(text.len()) > USER_DATA_OF_GROUP_LETTERS_MAX {
            return not("the group's user data is more than a record carries");
        }
        let Ok(plain) = STANDARD.decode(text) else {
            return not("it is not base64");
        };
        let name = place(self.group, self.member);
        let place = SealPlace { name: &name };
        match seal_for_both(&plain, &place, (self.home, self.other), entropy) {
            Ok(sealed) => UserData::Sealed(sealed),
            Err(error) => not(&error.to_string()),
        }
    }
}

impl UserData {
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    pub fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }

    /// How much of the group's room it uses, letters.
    pub fn letters(&self) -> usize {
        match self {
            Self::Sealed(sealed) => sealed.letters(),
            Self::None | Self::NotKept { .. } => 0,
        }
    }

    /// As Nova takes it; `Ok(None)`: there is none to give.
    ///
    /// # Errors
    /// `NotOurs`: the site's key is another than it was, or the record is damaged.
    pub fn open(
        &self,
        group: GroupId,
        member: MemberId,
        role: Role,
        identity: &SigningIdentity,
    ) -> Result<Option<SecretString>, OpenError> {
        let Self::Sealed(sealed) = self else {
            return Ok(None);
        };
        let name = place(group, member);
        let plain = open_sealed(sealed, &SealPlace { name: &name }, role, identity)?;
        Ok(Some(STANDARD.encode(plain.expose_secret()).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SiteId;
    use uuid::Uuid;

    fn site(number: u8) -> SigningIdentity {
        SigningIdentity::from_seed(SiteId(Uuid::from_u128(number.into())), &[number; 32])
    }

    fn entropy() -> SealEntropy {
        SealEntropy {
            key: [3; 32],
            nonce: [4; 24],
            passing: [[5; 32], [6; 32]],
        }
    }

    fn kept(text: &str, used: usize) -> UserData {
        let (home, other) = (site(1).as_peer(), site(2).as_peer());
        let of = UserDataOf {
            group: GroupId(Uuid::from_u128(8)),
            member: MemberId(Uuid::from_u128(9)),
            home: &home,
            other: &other,
            used,
        };
        of.keep(&text.to_owned().into(), &entropy())
    }

    fn opened(kept: &UserData, member: u128, role: Role, by: u8) -> Option<String> {
        let (group, member) = (
            GroupId(Uuid::from_u128(8)),
            MemberId(Uuid::from_u128(member)),
        );
        let opened = kept.open(group, member, role, &site(by)).ok()?;
        opened.map(|text| text.expose_secret().to_owned())
    }

    #[test]
    fn both_sites_get_back_what_nova_gave_and_the_record_does_not_show_it() {
        let kept = kept("Q0FOQVJZ", 0);
        assert_eq!(opened(&kept, 9, Role::Home, 1), Some("Q0FOQVJZ".to_owned()));
        assert_eq!(
            opened(&kept, 9, Role::Other, 2),
            Some("Q0FOQVJZ".to_owned())
        );
        assert_eq!(opened(&kept, 10, Role::Home, 1), None, "another member's");
        assert_eq!(opened(&kept, 9, Role::Home, 3), None, "another site's");
        let shown = serde_json::to_string(&kept).unwrap() + &format!("{kept:?}");
        assert!(!shown.contains("CANARY") && !shown.contains("Q0FOQVJZ"));
        let read: UserData = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
        assert_eq!(read, kept);
    }

    #[test]
    fn what_does_not_fit_or_is_not_base64_is_said_not_to_be_kept() {
        let largest = "A".repeat(USER_DATA_LETTERS_MAX - 3);
        let room = USER_DATA_OF_GROUP_LETTERS_MAX - largest.len();
        for (text, used, fits) in [
            (largest.as_str(), 0, true),
            (largest.as_str(), room, true),
            (largest.as_str(), room + 1, false),
            (&"A".repeat(USER_DATA_LETTERS_MAX + 1), 0, false),
            ("no base64!", 0, false),
        ] {
            assert_eq!(kept(text, used).is_sealed(), fits, "{} {used}", text.len());
        }
    }
}
