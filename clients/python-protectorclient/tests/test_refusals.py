"""What a user reads when something is in the way: what, Reason, Action; and that nothing was changed (DOC-02, 1.24)."""

from __future__ import annotations

import pytest

from tests.groups import add_member, make_group, until_movable
from tests.lab import User


@pytest.fixture(scope="module")
def group(lab, vms, tmp_path_factory) -> str:
    """With one VM; the tests here leave it at site-a, but for the last one."""
    make_group(lab.pair(tmp_path_factory.mktemp("maker")), "kept", next(vms))
    return "kept"


def version(lab, group: str) -> int:
    return lab.client("site-a").groups.show(group)["version"]


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"project_name": "nowhere"}], ids=["password", "project"])
@pytest.mark.parametrize("cloud", ["site-a", "site-b"])
def test_a_wrong_entry_names_the_cloud_and_the_remedy(user, lab, group, vms, cloud, wrong):
    before = version(lab, group)
    user.clouds = lab.clouds_with(cloud, **wrong)
    ran = user.run(f"--os-cloud site-a protector protection-group member-add {group} --instance-id {next(vms)}")
    assert ran.code == 1
    assert ran.err.splitlines()[0] == f"Error: Cannot log in at cloud {cloud}."
    assert f"Action: correct the entry {cloud} in clouds.yaml, then try: openstack --os-cloud {cloud} token issue" in ran.err
    assert version(lab, group) == before


def test_a_cloud_that_is_not_in_clouds_yaml(user, group):
    ran = user.run(f"--os-cloud site-a --secondary-cloud site-x protector protection-group sync-force {group}")
    assert ran.code == 1
    assert "Error: Cannot log in at cloud site-x." in ran.err and "site-x was not found" in ran.err


@pytest.mark.parametrize("cloud", ["site-a", "site-b"])
def test_a_change_without_the_peer_is_refused_in_the_documented_words(user, lab, group, vms, cloud):
    before, other = version(lab, group), {"site-a": "site-b", "site-b": "site-a"}[cloud]
    user.clouds = lab.without(other)
    line = f"--os-cloud {cloud} protector protection-group member-add {group} --instance-id {next(vms)}"
    ran = user.run(line)
    assert ran.code == 1
    what, reason, action = ran.err.splitlines()
    assert what == "Error: Cannot modify protection group - remote site unreachable."
    assert reason.startswith(f"Reason: No answer from cloud {other}.") and "Connection refused" in reason
    assert f"openstack protector protection-group sync-force {group}; then repeat the command" in action
    assert version(lab, group) == before


def test_the_other_changes_are_refused_without_the_peer_too(user, lab, group):
    before = version(lab, group)
    user.clouds = lab.without("site-b")
    for line in (
        f"protection-group policy-create {group} --primary-array array-a --secondary-array array-b --rpo-minutes 5",
        f"protection-group mapping set {group} --network app-net=app-net",
        f"protection-group reprotect {group}",
        "protection-group create other --volume-type replicated-ssd",
    ):
        ran = user.run(f"--os-cloud site-a protector {line}")
        assert ran.code == 1 and "remote site unreachable." in ran.err.splitlines()[0], line
    assert version(lab, group) == before
    assert "other" not in [shown["name"] for shown in lab.client("site-a").groups.list()]


@pytest.mark.parametrize("kind", ["--type planned", ""])
def test_a_planned_failover_without_the_primary_is_refused(user, lab, group, kind):
    before = version(lab, group)
    user.clouds = lab.without("site-a")
    ran = user.run(f"--os-cloud site-b protector protection-group failover {group} {kind}")
    assert ran.code == 1
    what, _, action = ran.err.splitlines()
    assert what == "Error: Cannot move protection group as planned - remote site unreachable."
    assert f"protection-group failover --type unplanned {group}" in action
    assert version(lab, group) == before
    assert not lab.client("site-b").operations.list(group)


def test_the_second_cloud_has_to_be_named_once(lab, group):
    stranger = User(lab, "stranger")
    line = f"--os-cloud site-a protector protection-group sync-force {group}"
    ran = stranger.run(line)
    assert ran.code == 1 and "--secondary-cloud <cloud>, or OS_SECONDARY_CLOUD" in ran.err
    stranger.good(line.replace("--os-cloud site-a", "--os-cloud site-a --secondary-cloud site-b"))
    stranger.good(line)
    stranger.good(line.replace("site-a", "site-b"))


def test_the_two_clouds_have_to_be_two(user, group):
    ran = user.run(f"--os-cloud site-a --secondary-cloud site-a protector protection-group sync-force {group}")
    assert ran.code == 1 and "Error: Clouds site-a and site-a are one site." in ran.err


def test_a_forced_move_is_never_sent_elsewhere(user, lab, group):
    ran = user.run(f"--os-cloud site-a protector protection-group failover {group} --type unplanned")
    assert ran.code == 1
    assert f"openstack --os-cloud site-b protector protection-group failover --type unplanned {group}" in ran.err
    assert not lab.client("site-b").operations.list(group)


@pytest.mark.parametrize(
    "line,told",
    [
        ("protection-group show nope", "There is no protection group nope at cloud site-a."),
        ("operation show 0197a2b0-0000-7000-8000-000000000001", "repeat it with --os-cloud of the other site"),
        ("protection-group member-add kept --instance-id nope", "There is no server nope at cloud site-a."),
        ("protection-group create new --volume-type nope", "volume type nope does not exist at this site"),
        ("protection-group create new --volume-type x --secondary-site x", "Site x is not registered at cloud site-b."),
        ("protection-group test-failover kept --network-mapping x=mgmt-net", "networks of this group: app-net"),
        ("protection-group test-failover kept --network-mapping x", "write it as <source>=<target>"),
        ("operation skip-step 0197a2b0-0000-7000-8000-000000000001 --reason because", "roles of this token"),
        (
            "operation adopt 0197a2b0-0000-7000-8000-000000000001 --step boot_server/x --object-id y --reason because",
            "roles of this token",
        ),
        ("array list", "The roles of this token do not allow this."),
        ("consistency-group volumes nope", "There is no protection group nope"),
    ],
)
def test_wrong_words_get_an_answer_that_helps(user, group, line, told):
    ran = user.run(f"--os-cloud site-a protector {line}")
    assert ran.code == 1
    assert ran.err.startswith("Error: ") and "Action: " in ran.err, ran.err
    assert told in ran.err, ran.err


def test_an_emergency_needs_nobody_and_is_told_later(user, lab, group, vms, tmp_path):
    """FO-06, SYNC-09: the courier cannot reach the primary; the move ends, is marked, and sync-force mends it."""
    pair = lab.pair(tmp_path / "maker")
    until_movable(pair, pair.find(group))
    user.clouds = lab.without("site-a")
    ran = user.good(f"--os-cloud site-b dr failover {group} --force --wait -f json")
    assert (ran.json["type"], ran.json["outcome"]) == ("unplanned", "full")
    assert f"Sync: UNREACHABLE. When the other site answers again: openstack protector protection-group sync-force {group}" in ran.err

    left = user.run(f"--os-cloud site-b protector protection-group sync-status {group}")
    assert left.code == 1
    assert "Sync Status: OUT OF SYNC" in left.out and "  Status:         UNREACHABLE" in left.out
    assert "Action: openstack --os-cloud site-a" in left.out

    user.clouds = None
    before = user.run(f"--os-cloud site-b protector protection-group sync-status {group}")
    assert before.code == 1 and "  Status:         PENDING" in before.out
    user.good(f"--os-cloud site-b protector protection-group sync-force {group}")
    after = user.good(f"--os-cloud site-b protector protection-group sync-status {group}")
    assert "Sync Status: IN SYNC" in after.out and "  Current Site:   site-b" in after.out


def test_a_change_mends_what_an_earlier_courier_left(user, lab, vms, tmp_path):
    """Section 7: a pending leader is brought into step first, without being asked."""
    from tests.dying import die_at

    pair = lab.pair(tmp_path / "maker")
    group = make_group(pair, "mended")
    first, second = next(vms), next(vms)
    line = "--os-cloud site-a protector protection-group member-add mended --instance-id"
    assert user.run(f"{line} {first}", die_at(3, "after")).code < 0
    user.good(f"{line} {second}")
    for site in ("site-a", "site-b"):
        assert {member["name"] for member in lab.client(site).groups.members(group)} == {first, second}
    add_member(pair, group, next(vms))
