"""What the peer refuses for good is taken back by its author (R8, R9), and stands in nobody's way."""

from __future__ import annotations

import pytest

from protectorclient.coordination import carry
from tests.lab import User

KIND = {"replication_type": "async", "volume_type": "replicated-ssd"}


def drafted(author, peer, peer_site: str, name: str) -> tuple:
    """A group of this name, attested by the peer and not written yet: its id, ticket and reservation."""
    answer = author.groups.draft_create({"name": name, "secondary_site": peer_site, **KIND})
    ticket = answer["ticket"]
    return answer["protection_group"]["id"], ticket, carry.reserve(peer, ticket)


def living(site, name: str) -> list:
    """Ids of the groups of that name at a site."""
    return [group["id"] for group in site.groups.list() if group["name"] == name]


@pytest.mark.parametrize("name,clouds", [("twins", ("site-a", "site-b")), ("twins-back", ("site-b", "site-a"))])
def test_of_two_groups_of_one_name_one_is_taken_back(lab, user, name, clouds):
    """Both are attested before either is written, so each site learns too late that the other has the name."""
    pair = lab.pair(user.state)
    a, b = pair.local, pair.peer
    ours, theirs = drafted(a, b, "site-b", name), drafted(b, a, "site-a", name)
    for author, (_, ticket, reservation) in ((a, ours), (b, theirs)):
        carry.commit(author, ticket, reservation, pair.state)
    first, second = (ours, theirs) if clouds[0] == "site-a" else (theirs, ours)

    other = User(lab, f"{user.state.name}-other")
    force = "protector protection-group sync-force"
    other.good(f"--os-cloud {clouds[0]} --secondary-cloud {clouds[1]} {force} {first[0]}")
    assert living(a, name) + living(b, name) == [second[0]], "the one that was refused is gone at both sites"
    other.good(f"--os-cloud {clouds[0]} --secondary-cloud {clouds[1]} {force} {second[0]}")
    assert living(a, name) == living(b, name) == [second[0]], "and the other one has the name"
    ran = other.run(f"--os-cloud site-a protector protection-group sync-status {second[0]} -f json")
    assert ran.code == 0 and ran.json["in_sync"], ran.err
