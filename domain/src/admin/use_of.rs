//! Who still needs what an administrator registered: it is not taken away under them.
//!
//! Absent: reading the groups, and the foreign keys of any table.

use crate::ids::{ArrayId, ProjectId, SiteId};
use crate::record::GroupBody;

/// Users of one thing that a refusal names; the rest are counted.
const NAMED_MAX: usize = 5;

/// Groups that name the site as one of their two.
pub fn groups_of_site<'a>(
    bodies: impl IntoIterator<Item = &'a GroupBody>,
    site: SiteId,
) -> Vec<&'a str> {
    let sides = |b: &&GroupBody| [b.sides.home.site, b.sides.other.site].contains(&site);
    named(bodies, sides)
}

/// Groups whose policy replicates from or to the array.
pub fn groups_of_array<'a>(
    bodies: impl IntoIterator<Item = &'a GroupBody>,
    array: &ArrayId,
) -> Vec<&'a str> {
    let uses = |b: &&GroupBody| {
        let policy = b.policy.as_ref();
        policy.is_some_and(|p| &p.home_array == array || &p.other_array == array)
    };
    named(bodies, uses)
}

/// Groups that join this project at `me` with the one at `there`.
pub fn groups_of_mapping<'a>(
    bodies: impl IntoIterator<Item = &'a GroupBody>,
    (me, local): (SiteId, &ProjectId),
    there: SiteId,
) -> Vec<&'a str> {
    let joins = |b: &&GroupBody| {
        let Some(role) = b.sides.role_of(me) else {
            return false;
        };
        &b.sides.of(role).project == local && b.sides.of(role.peer()).site == there
    };
    named(bodies, joins)
}

fn named<'a>(
    bodies: impl IntoIterator<Item = &'a GroupBody>,
    uses: impl Fn(&&GroupBody) -> bool,
) -> Vec<&'a str> {
    bodies
        .into_iter()
        .filter(uses)
        .map(|b| b.name.as_str())
        .collect()
}

/// `protection groups web, db and 3 more`.
pub fn users(what: &str, names: &[&str]) -> String {
    let shown = names
        .iter()
        .take(NAMED_MAX)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => format!("{what} {shown}"),
        more => format!("{what} {shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::users;

    #[test]
    fn users_are_named_and_the_rest_is_counted() {
        assert_eq!(
            users("protection groups", &["web", "db"]),
            "protection groups web, db"
        );
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(users("groups", &many), "groups a, b, c, d, e and 2 more");
    }
}
