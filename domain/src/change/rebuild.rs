//! How a member is to be rebuilt at the other side: when, and with which addresses (MEM-02). Its words, volumes and
//! networks are what they are; where those lead is the group's mappings.

use super::leave::member_of;
use crate::ids::ServerId;
use crate::record::{GroupBody, Member};
use crate::refusal::{Refusal, Refusals};
use serde::{Deserialize, Serialize};

/// Whether an interface comes up with the address that it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Addressing {
    /// The same, and no move if somebody else has it there.
    Keep,
    /// One that is free there.
    New,
}

/// What is wished for; `None`: as it is, and for a new member tier 0 with all addresses kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuildAsk {
    /// Lower tiers begin first where not all can at once; none waits for another.
    pub tier: Option<u8>,
    /// Of all its interfaces.
    pub fixed_ip: Option<Addressing>,
    /// Of all its interfaces.
    pub mac: Option<Addressing>,
}

/// The member with these wishes.
pub(super) fn rebuilt(member: &Member, ask: RebuildAsk) -> Member {
    let mut member = member.clone();
    member.tier = ask.tier.unwrap_or(member.tier);
    for nic in &mut member.nics {
        let keeps = |wish: Option<Addressing>, now| wish.map_or(now, |w| w == Addressing::Keep);
        nic.keep_ip = keeps(ask.fixed_ip, nic.keep_ip);
        nic.keep_mac = keeps(ask.mac, nic.keep_mac);
    }
    member
}

/// The body with these wishes for the member that `server` is, at either site.
///
/// Errors: the refusals `NotAMember` and `NothingToChange`.
pub fn set_member(
    body: &GroupBody,
    server: &ServerId,
    ask: RebuildAsk,
) -> Result<GroupBody, Refusals> {
    let Some(member) = member_of(body, server) else {
        let server = server.to_string();
        return Err(Refusal::NotAMember { server }.into());
    };
    let wished = rebuilt(member, ask);
    if wished == *member {
        return Err(Refusal::NothingToChange.into());
    }
    let mut next = body.clone();
    let mut members = next.members.iter_mut();
    if let Some(found) = members.find(|m| m.id == wished.id) {
        *found = wished;
    }
    Ok(next)
}
