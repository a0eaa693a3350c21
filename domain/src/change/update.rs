//! A group's name and description (PG-02, PG-11). The array object's name follows from the group's id, so
//! nothing outside changes.

use super::create::is_good_name;
use crate::record::GroupBody;
use crate::refusal::{Refusal, Refusals};

/// What is to be said instead; `None`: as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateAsk {
    pub name: Option<String>,
    pub description: Option<String>,
}

/// The body with these words, or everything that speaks against them. `name_taken`: another living group
/// of the project has the name.
pub fn update(body: &GroupBody, ask: &UpdateAsk, name_taken: bool) -> Result<GroupBody, Refusals> {
    let mut against = Vec::new();
    if let Some(name) = &ask.name {
        if !is_good_name(name) {
            against.push(Refusal::BadName);
        }
        if name_taken {
            against.push(Refusal::NameTaken { name: name.clone() });
        }
    }
    let said = |new: &Option<String>, old: &String| new.clone().unwrap_or_else(|| old.clone());
    let next = GroupBody {
        name: said(&ask.name, &body.name),
        description: said(&ask.description, &body.description),
        ..body.clone()
    };
    if against.is_empty() && next == *body {
        against.push(Refusal::NothingToChange);
    }
    if against.is_empty() {
        Ok(next)
    } else {
        Err(Refusals(against))
    }
}
