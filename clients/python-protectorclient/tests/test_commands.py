"""Commands that the tour does not show, at the same real sites."""

from __future__ import annotations

import pytest

from protectorclient.coordination import watch
from protectorclient.exceptions import NoAnswer, Unfinished
from protectorclient.state import State
from tests.groups import make_group, until_movable
from tests.lab import User

CANARY = "canary-of-a-secret"


@pytest.fixture(scope="module")
def group(lab, vms, tmp_path_factory) -> str:
    make_group(lab.pair(tmp_path_factory.mktemp("maker")), "shown", next(vms))
    return "shown"


def test_every_format(user, group):
    line = "--os-cloud site-a protector protection-group list -c name -c status"
    assert {"name": group, "status": "active"} in user.good(f"{line} -f json").json
    assert f"{group} active" in user.good(f"{line} -f value").out.splitlines()
    assert f'"{group}","active"' in user.good(f"{line} -f csv").out.splitlines()
    assert f"- name: {group}" in user.good(f"{line} -f yaml").out
    shown = user.good(f"--os-cloud site-a dr protection-group show {group} -f json").json
    assert shown["conditions"] == [] and shown["member_count"] == 1


def test_a_group_is_known_by_name_and_by_id_at_both_sites(user, lab, group):
    identity = lab.client("site-a").groups.show(group)["id"]
    for site in ("site-a", "site-b"):
        for name in (group, identity):
            shown = user.good(f"--os-cloud {site} protector protection-group show {name} -f value -c id")
            assert shown.out.strip() == identity


def test_a_plan_is_text_for_people_and_the_apis_data_for_programs(user, lab, group, tmp_path):
    pair = lab.pair(tmp_path / "looker")
    until_movable(pair, pair.find(group))
    line = f"--os-cloud site-a protector protection-group failover {group} --type planned --dry-run"
    assert user.good(line).out.startswith(f"Plan: failover of {group} at ")
    plan = user.good(f"{line} -f json").json
    assert plan["kind"] == "failover" and [stage["name"] for stage in plan["stages"]][0] == "validate_target"
    assert lab.client("site-a").groups.show(group)["epoch"] == 1


def test_mappings_take_names(user, lab, group):
    line = f"--os-cloud site-b protector protection-group mapping set {group} --network app-net=db-net -f json"
    set_to = user.good(line).json
    networks = {site: lab.told["sites"][site]["networks"] for site in ("site-a", "site-b")}
    assert set_to["networks"] == {networks["site-a"][0]: networks["site-b"][1]}
    assert user.good(f"--os-cloud site-a dr mapping show {group} -f json").json["networks"] == set_to["networks"]
    assert not user.good(f"--os-cloud site-a protector protection-group mapping set {group} -f json").json["networks"]


#: A security group at the primary site, and the one that is to stand for it.
SIDES = (("site-a", "web"), ("site-b", "db"))


def test_every_kind_of_thing_is_mapped(user, group):
    """Each site's things by name, although their ids are told apart by nothing (FO-05)."""
    line = (
        f"--os-cloud site-a protector protection-group mapping set {group} --security-group web=db"
        " --flavor lab.small=lab.medium --keypair lab-key=ops --availability-zone nova=nova -f json"
    )
    set_to = user.good(line).json
    medium = user.good("--os-cloud site-b flavor show lab.medium -f value -c id").out.strip()
    assert set_to["flavors"] == {"lab.small": medium}
    sides = [user.good(f"--os-cloud {site} security group show {name} -f value -c id") for site, name in SIDES]
    assert set_to["security_groups"] == {sides[0].out.strip(): sides[1].out.strip()}
    assert (set_to["keypairs"], set_to["availability_zones"]) == ({"lab-key": "ops"}, {"nova": "nova"})
    user.good(f"--os-cloud site-a protector protection-group mapping set {group}")


def test_a_member_is_rebuilt_as_wished(user, lab, group):
    members = lab.client("site-a").groups.members(group)
    server, line = members[0]["name"], f"--os-cloud site-b dr member set {group}"
    user.good(f"{line} --instance-id {server} --tier 2 --mac new")
    (changed,) = [one for one in lab.client("site-b").groups.members(group) if one["name"] == server]
    assert changed["tier"] == 2
    assert {(nic["fixed_ip"], nic["mac"]) for nic in changed["interfaces"]} == {("keep", "new")}
    user.good(f"{line} --instance-id {server} --tier 0 --mac keep")
    assert "give --tier" in user.run(f"{line} --instance-id {server}").err


class Flapping:
    """A site that answers every second question: what `watch` asks of one, and nothing else."""

    cloud = "flapping"

    def __init__(self, looks: int):
        self.operations, self.left, self.asked = self, looks, 0

    def show(self, operation: str) -> dict:
        self.asked += 1
        if self.asked % 2:
            raise NoAnswer(self.cloud, "the line is bad")
        self.left -= 1
        return {"status": "running" if self.left else "completed", "outcome": "full"}

    def events(self, operation: str, after: int) -> list:
        return []


def test_waiting_survives_a_bad_line_and_not_a_dead_one():
    looks = 2 * watch.SILENT_LOOKS_MAX
    assert watch.wait(Flapping(looks), "op", pause=lambda s: None)["outcome"] == "full"
    dead, pauses, clock = Flapping(1), [], iter(range(10 * watch.SILENT_LOOKS_MAX))
    dead.show = lambda operation: (_ for _ in ()).throw(NoAnswer("dead", "nobody"))
    with pytest.raises(Unfinished):
        watch.wait(dead, "op", limit_s=9 * watch.SILENT_LOOKS_MAX, pause=pauses.append, now_s=lambda: next(clock))
    assert len(pauses) == watch.SILENT_LOOKS_MAX + 1


@pytest.fixture(scope="module")
def cancelled(lab, vms, tmp_path_factory) -> str:
    """The id of a planned failover of group `cancelled` that somebody took back while it ran."""
    user, pair = User(lab, "canceller"), lab.pair(tmp_path_factory.mktemp("maker"))
    until_movable(pair, make_group(pair, "cancelled", next(vms)))
    line = "--os-cloud site-b --secondary-cloud site-a protector"
    operation = user.good(f"{line} protection-group failover cancelled -f json").json["id"]
    ended = user.run(f"{line} operation cancel {operation} --wait -f json")
    assert (ended.code, ended.json["status"], ended.json["outcome"]) == (1, "failed", "cancelled")
    return operation


def test_a_planned_failover_that_is_cancelled_leaves_the_leader_free(user, vms, cancelled):
    """R10, R11: the target signs that it is over, and sync-force brings the lock home."""
    line = "--os-cloud site-a protector protection-group"
    assert user.run(f"{line} sync-status cancelled -f json").json["operation"] == cancelled
    user.good(f"{line} sync-force cancelled")
    freed = user.good(f"{line} sync-status cancelled -f json").json
    assert (freed["in_sync"], freed["operation"], freed["local_epoch"]) == (True, None, 1)
    user.good(f"{line} member-add cancelled --instance-id {next(vms)}")


def test_a_badly_ended_operation_is_an_exit_code(user, cancelled):
    ran = user.run(f"--os-cloud site-b protector operation show {cancelled} --wait -f json")
    assert ran.code == 1 and ran.json["outcome"] == "cancelled"
    assert f"Error: Operation {cancelled} ended failed, cancelled." in ran.err
    events = user.good(f"--os-cloud site-b protector operation events {cancelled} -f json").json
    assert events[0]["kind"] == "accepted" and "ended" in [event["kind"] for event in events]
    plan = user.good(f"--os-cloud site-b protector operation show {cancelled} --plan").out
    assert plan.startswith("Plan: failover of ")


def test_waiting_that_is_given_up_says_that_the_operation_goes_on(lab, cancelled):
    with pytest.raises(Unfinished) as told:
        watch.wait(lab.client("site-b"), cancelled, limit_s=0)
    assert f"openstack --os-cloud site-b protector operation show {cancelled}" in str(told.value)


def test_the_last_sync_is_when_it_was_first_seen_and_not_now(user, lab, group):
    """Looking again makes nothing more recent (SYNC-06)."""
    identity = lab.client("site-a").groups.show(group)["id"]
    line = f"--os-cloud site-a protector protection-group sync-status {group} -f json"
    head = lab.client("site-a").sync.show(identity)["head"]["at"]
    State(user.state, now_s=lambda: 1_000).keep_synced(identity, head)
    assert user.good(line).json["last_sync"] == "1970-01-01T00:16:40Z"
    assert "  [!!] Last sync is not recent" in user.good(line.replace(" -f json", "")).out


def test_projects_are_mapped_at_both_sites_and_once(user, lab):
    line = "--os-cloud site-a-admin dr tenant mapping create --local-tenant admin --remote-site site-b --remote-tenant admin"
    made = user.good(f"{line} --description both -f json").json
    assert user.good(f"{line} -f json").json["id"] == made["id"]
    mirrors = [
        mapping
        for mapping in lab.client("site-b-admin").tenant_mappings.list()
        if mapping["local_project"] == made["remote_project"]
    ]
    assert [mirror["remote_project"] for mirror in mirrors] == [made["local_project"]]
    other = user.run(line.replace("--remote-tenant admin", "--remote-tenant demo"))
    assert other.code == 1 and "is mapped to another one already" in other.err


def test_a_secret_is_in_no_argument_and_in_no_log(user, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(f"{CANARY}\n", encoding="utf-8")
    line = f"--os-cloud site-a-admin --debug protector site credential set site-b --username protector --secret-file {secret}"
    ran = user.run(line)
    assert ran.code == 0, ran.err
    assert "PUT" in ran.err or "credential" in ran.err, "nothing was logged at all"
    assert CANARY not in ran.out + ran.err
    secret.write_text("secret\n", encoding="utf-8")
    user.good(line.replace(" --debug", ""))


def test_an_unpaired_site_shows_its_refusal(user):
    ran = user.run("--os-cloud site-a-admin protector site show nowhere")
    assert ran.code == 1 and "Site nowhere is not registered at cloud site-a-admin." in ran.err


def test_pairing_asks_people(user):
    ran = user.run("--os-cloud site-a-admin protector site pair site-b")
    assert ran.code == 1 and "compare them, then repeat with --yes" in ran.err


def test_an_extra_snapshot_is_taken_wherever_the_group_leads(user, group):
    for site in ("site-a", "site-b"):
        taken = user.good(f"--os-cloud {site} protector consistency-group sync {group} -f value -c suffix")
        assert taken.out.startswith("prt-")


def test_creation_at_the_other_site(user, lab):
    """Names say who becomes home; the login does not."""
    line = "--os-cloud site-a protector protection-group create elsewhere --primary-site site-b --volume-type replicated-ssd"
    made = user.good(f"{line} --secondary-site site-a -f json").json
    assert (made["primary_site"], made["current_primary_site"]) == ("site-b", "site-b")
    head = lab.client("site-b").sync.show(made["id"])["head"]
    assert head["leads"] and head["synced"]


def test_a_move_whose_waiting_ends_names_both_commands_that_go_on(user, lab, vms, tmp_path):
    pair = lab.pair(tmp_path / "maker")
    group = make_group(pair, "slow", next(vms))
    until_movable(pair, group)
    ran = user.run("--os-cloud site-b dr failover slow --type planned --wait --wait-timeout 0.01")
    operation = pair.peer.operations.list(group)[0]["id"]
    assert ran.code == 1 and f"Error: Operation {operation} goes on at site-b." in ran.err
    assert f"operation show {operation}; when it has ended: openstack protector protection-group sync-force slow" in ran.err
    assert watch.wait(pair.peer, operation)["outcome"] == "full"
    user.good("--os-cloud site-a protector protection-group sync-force slow")
