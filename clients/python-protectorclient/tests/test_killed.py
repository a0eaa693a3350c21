"""The courier dies at every message of a change and of a planned failover (SYNC-05, SYNC-08, section 9).

Afterwards `sync-status` tells the truth, and `sync-force` of anybody brings both sites into step: the change is
in force at both or at none, and the move goes on or never was.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

import pytest

from protectorclient.coordination import watch
from tests.dying import count_messages, die_at, lose_answer_of
from tests.groups import make_group, until_movable
from tests.lab import User

TICKET, RESERVED, COMMITTED, STORED, RECEIVED = range(1, 6)
CASES = [(number, moment) for number in range(TICKET, RECEIVED + 1) for moment in ("before", "after")]
FORCE = "openstack protector protection-group sync-force"
#: How long a move of one VM may take, seconds.
MOVE_LIMIT_S = 90.0


def reached(number: int, moment: str) -> int:
    """The last message that a site acted on."""
    return number if moment == "after" else number - 1


def status(user: User, name: str) -> dict:
    ran = user.run(f"--os-cloud site-a protector protection-group sync-status {name} -f json")
    assert ran.code in (0, 1), ran.err
    assert (ran.code == 0) == ran.json["in_sync"]
    return ran.json


def force(user: User, name: str) -> None:
    """By somebody else, logged in at the other site, who remembers nothing."""
    other = User(user.lab, f"{user.state.name}-other")
    other.good(f"--os-cloud site-b --secondary-cloud site-a protector protection-group sync-force {name}")


def places(user: User, line: str, noted) -> list:
    """Where the messages of a command went, in order."""
    ran = user.run(line, count_messages(str(noted)))
    assert ran.code == 0, ran.err
    return [line.rsplit("/", 1)[-1] for line in noted.read_text(encoding="utf-8").split("\n")[:-1]]


@pytest.fixture(scope="module")
def changed(lab, tmp_path_factory) -> str:
    """A group that every case adds another VM to."""
    make_group(lab.pair(tmp_path_factory.mktemp("maker")), "killed")
    return "killed"


def test_a_change_has_five_messages(user, changed, vms, tmp_path):
    line = f"--os-cloud site-a protector protection-group member-add {changed} --instance-id {next(vms)}"
    seen = places(user, line, tmp_path / "noted")
    assert seen == ["members", "reservations", "commits", "envelopes", "receipts"]


@pytest.mark.parametrize("number,moment", CASES)
def test_a_change_whose_courier_is_killed(user, lab, changed, vms, number, moment):
    vm = next(vms)
    version = lab.client("site-a").groups.show(changed)["version"]
    line = f"--os-cloud site-a protector protection-group member-add {changed} --instance-id {vm}"
    assert user.run(line, die_at(number, moment)).code == -signal.SIGKILL

    left, got = status(user, changed), reached(number, moment)
    is_written = got >= COMMITTED
    assert left["local_version"] == version + is_written
    assert left["remote_version"] == version + (got >= STORED)
    assert left["in_sync"] == (not is_written or got >= RECEIVED)
    assert left["remote_status"] == ("synced" if left["in_sync"] else "pending")

    force(user, changed)
    mended = status(user, changed)
    assert mended["in_sync"]
    assert mended["local_version"] == mended["remote_version"] == version + is_written
    for site in ("site-a", "site-b"):
        members = lab.client(site).groups.members(changed)
        assert (vm in [member["name"] for member in members]) == is_written, site
    if not is_written:
        user.good(line)  # nothing of the dead one is in the way


@dataclass
class Killed:
    """A move whose courier was killed, and what was seen then."""

    group: str
    name: str
    before: int
    code: int
    left: dict
    mended: dict


@pytest.fixture(scope="module")
def moves(lab, vms, tmp_path_factory) -> dict:
    """All cases at once, so that the moves that go on run side by side."""
    pair = lab.pair(tmp_path_factory.mktemp("mover"))
    made = {case: (f"move-{case[0]}-{case[1]}", make_group(pair, f"move-{case[0]}-{case[1]}", next(vms))) for case in CASES}
    killed = {}
    for case, (name, group) in made.items():
        until_movable(pair, group)
        user = User(lab, name)
        user.good(f"--os-cloud site-a --secondary-cloud site-b protector protection-group sync-status {name}")
        before = pair.local.groups.show(group)["version"]
        line = f"--os-cloud site-b protector protection-group failover {name} --type planned"
        code = user.run(line, die_at(*case)).code
        left = status(user, name)
        if case == (RESERVED, "after"):
            refused = user.run(f"{line} --dry-run")
            assert f"it waits for a lock that nobody fetched: {FORCE} {name}; then repeat" in refused.err
        force(user, name)
        killed[case] = Killed(group, name, before, code, left, status(user, name))
    return killed


@pytest.mark.parametrize("number,moment", CASES)
def test_a_planned_failover_whose_courier_is_killed(user, lab, moves, number, moment):
    case, got = moves[(number, moment)], reached(number, moment)
    assert case.code == -signal.SIGKILL
    is_locked = got >= COMMITTED
    assert (case.left["local_version"], case.left["local_epoch"]) == (case.before + is_locked, 1)
    assert (case.left["operation"] is not None) == is_locked
    assert case.left["in_sync"] == (not is_locked or got >= RECEIVED or case.left["remote_epoch"] == 2)

    a, b = lab.client("site-a"), lab.client("site-b")
    if is_locked:
        # The target goes on alone; any courier brings its end home.
        operation = b.operations.list(case.group)[0]["id"]
        assert watch.wait(b, operation, limit_s=MOVE_LIMIT_S)["outcome"] == "full"
        force(user, case.name)
    else:
        # Nothing had begun: the next one is a move like any other.
        assert case.mended["in_sync"] and case.mended["local_version"] == case.before
        line = f"--os-cloud site-b protector protection-group failover {case.name} --type planned"
        user.good(f"{line} --dry-run")
        user.good(line)
        return
    for site in (a, b):
        shown = site.groups.show(case.group)
        assert (shown["status"], shown["epoch"], shown["synced"]) == ("failed_over", 2, True), site.cloud


def test_a_planned_failover_has_five_messages_and_two_at_its_end(user, lab, vms, tmp_path):
    pair = lab.pair(tmp_path / "maker")
    until_movable(pair, make_group(pair, "moved", next(vms)))
    line = "--os-cloud site-b protector protection-group failover moved --type planned --wait"
    seen = places(user, line, tmp_path / "noted")
    # The first action is the dry run that asks whether there is a recovery point yet.
    started = ["action", "lock-tickets", "action", "commits", "envelopes", "receipts"]
    assert seen == [*started, "envelopes", "receipts"]


@pytest.mark.parametrize("number", range(TICKET, RECEIVED + 1))
def test_a_change_of_which_an_answer_gets_lost(user, lab, changed, vms, number):
    """Done at both sites; or not at all, and said so; or half, and the command that finishes it is named."""
    vm = next(vms)
    line = f"--os-cloud site-a protector protection-group member-add {changed} --instance-id {vm}"
    ran = user.run(line, lose_answer_of(number))
    is_written = number >= COMMITTED
    assert (ran.code == 0) == (number == COMMITTED), ran.err
    assert (f"Action: {FORCE} {changed}" in ran.err) == (number > COMMITTED), ran.err
    if number > COMMITTED:
        force(user, changed)
    assert status(user, changed)["in_sync"]
    for site in ("site-a", "site-b"):
        members = lab.client(site).groups.members(changed)
        assert (vm in [member["name"] for member in members]) == is_written, site


def test_an_emergency_whose_first_answer_gets_lost_is_one_operation(user, lab, vms, tmp_path):
    """I3: one key for all tries."""
    pair = lab.pair(tmp_path / "maker")
    group = make_group(pair, "urgent", next(vms))
    until_movable(pair, group)
    ran = user.run("--os-cloud site-b dr failover urgent --type unplanned -f json", lose_answer_of(1))
    assert ran.code == 0, ran.err
    operations = pair.peer.operations.list(group)
    assert [operation["id"] for operation in operations] == [ran.json["id"]]
    assert watch.wait(pair.peer, ran.json["id"], limit_s=MOVE_LIMIT_S)["outcome"] == "full"


def test_a_planned_failover_of_which_the_locks_answer_gets_lost(user, lab, vms, tmp_path):
    pair = lab.pair(tmp_path / "maker")
    group = make_group(pair, "locked", next(vms))
    until_movable(pair, group)
    ran = user.run("--os-cloud site-b dr failover locked --type planned -f json", lose_answer_of(3))
    assert ran.code == 0, ran.err
    assert watch.wait(pair.peer, ran.json["id"], limit_s=MOVE_LIMIT_S)["outcome"] == "full"
