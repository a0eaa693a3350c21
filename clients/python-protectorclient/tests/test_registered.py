"""What administrators change, forget and look at, at sites of their own."""

from __future__ import annotations

import pytest

from protectorclient.state import State
from tests.groups import make_group, until_movable
from tests.lab import Lab, User


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    own = Lab(tmp_path_factory.mktemp("registered"), 1)
    make_group(own.pair(own.home / "maker"), "kept", "web-1")
    yield own
    own.stop()


@pytest.fixture(scope="module")
def admin(own):
    admin = User(own, "admin")
    State(admin.state).remember_pair("site-a-admin", "site-b-admin")
    return admin


A = "--os-cloud site-a-admin protector"
CHECKS = (
    "peer_identity",
    "credential",
    "identity",
    "delegation",
    "compute",
    "network",
    "volume_services",
    "volume_types",
    "volume_manage",
)


def results(ran) -> dict:
    return {row["name"]: row["result"] for row in ran.json}


def test_both_sites_are_looked_at(admin):
    for site, name in (("site-b", "site-b"), ("", "site-a")):
        ran = admin.good(f"{A} site validate {site} -f json")
        assert results(ran) == {check: "ok" for check in CHECKS}, ran.out
        assert f"Site {name}: active" in ran.err
    assert admin.good("--os-cloud site-a-admin dr site validate site-b -f value -c result").out.split() == ["ok"] * 9


def test_a_wrong_password_is_named_with_the_command_that_gives_another(admin, tmp_path):
    secret = tmp_path / "secret"
    line = f"{A} site credential set site-b --username protector --secret-file {secret}"
    secret.write_text("wrong", encoding="utf-8")
    admin.good(line)
    found = {row["name"]: row for row in admin.good(f"{A} site validate site-b -f json").json}
    assert found["identity"]["result"] == "failed" and found["compute"]["result"] == "skipped"
    assert found["identity"]["remedy"] == "openstack protector site credential set site-b"
    assert admin.good(f"{A} site show site-b -f value -c status").out == "error\n"
    secret.write_text("secret", encoding="utf-8")
    admin.good(line)
    assert "Site site-b: active" in admin.good(f"{A} site validate site-b").err


def test_only_types_that_can_be_protected_are_listed_unless_all_are_wanted(admin):
    for site in ("site-b", ""):
        names = admin.good(f"{A} site list-volume-types {site} -f value -c name").out.split()
        assert sorted(names) == ["replicated-ssd", "replicated-sync"]
    rows = admin.good(f"{A} site list-volume-types --all -f json").json
    assert {row["name"]: row["reason"] for row in rows}["standard"] == "replication_enabled is not '<is> True'"


def test_what_a_group_uses_is_not_forgotten(admin):
    mapping = admin.good(f"{A} tenant mapping list -f value -c id").out.strip()
    for line in ("site delete site-b", "array delete array-a", f"tenant mapping delete {mapping}"):
        ran = admin.run(f"{A} {line}")
        assert ran.code == 1 and "is used by protection groups kept" in ran.err, ran.err
        assert "Action: openstack protector protection-group delete" in ran.err
    text = "--description 'the shop' -f value -c description"
    assert admin.good(f"{A} tenant mapping set {mapping} {text}").out == "the shop\n"


def test_new_groups_start_with_the_mappings_of_their_projects(admin):
    """Defaults for a pair of sites; a group that exists keeps its own (FO-05)."""
    mapping = admin.good(f"{A} tenant mapping list -f value -c id").out.strip()
    line = f"{A} tenant mapping set {mapping}"
    set_to = admin.good(f"{line} --flavor lab.small=lab.medium --keypair ops=dr-ops -f json").json["mappings"]
    medium = admin.good("--os-cloud site-b-admin flavor show lab.medium -f value -c id").out.strip()
    assert set_to == {"flavors": {"lab.small": medium}, "keypairs": {"ops": "dr-ops"}}
    tenant = "--os-cloud site-a --secondary-cloud site-b protector protection-group"
    admin.good(f"{tenant} create mapped --volume-type replicated-ssd")
    assert admin.good(f"{tenant} mapping show mapped -f json").json["keypairs"] == {"ops": "dr-ops"}
    assert not admin.good(f"{tenant} mapping show kept -f json").json["keypairs"]
    admin.good(f"{tenant} delete mapped")
    assert admin.good(f"{line} --no-mapping -f json").json["mappings"] == {}


def test_a_site_and_an_array_are_changed_and_secrets_stay_where_they_were_given_for(admin, tmp_path):
    assert admin.good(f"{A} site set site-b --description cellar -f value -c description").out == "cellar\n"
    ran = admin.run(f"{A} site set site-b --auth-url http://127.0.0.1:9/v3")
    assert ran.code == 1 and "--secret-file" in ran.err
    ran = admin.run(f"{A} site set site-b")
    assert ran.code == 1 and "There is nothing to change." in ran.err
    token = tmp_path / "token"
    token.write_text("canary-of-a-token\n", encoding="utf-8")
    ran = admin.good(f"{A} array set array-b --api-token-file {token} --debug")
    assert "canary" not in ran.out + ran.err
    ran = admin.run(f"{A} array set array-b --url https://elsewhere.test")
    assert ran.code == 1 and "--api-token-file" in ran.err


def test_what_nobody_uses_goes(admin):
    admin.good(f"{A} site create --name spare --auth-url http://127.0.0.1:9/v3")
    admin.good(f"{A} site delete spare")
    ran = admin.run(f"{A} site show spare")
    assert ran.code == 1 and "not registered" in ran.err


def test_health_and_points_tell_when_a_group_could_move(own, admin):
    pair = own.pair(own.home / "maker")
    until_movable(pair, pair.find("kept"))
    user = User(own, "tenant")
    for site in ("site-a", "site-b"):
        line = f"--os-cloud {site} protector"
        health = user.good(f"{line} health show kept -f json").json
        assert (health["failover_ready"], health["replicating"], health["findings"]) == (True, True, [])
        points = user.good(f"{line} recovery-point list kept -f json").json
        assert health["newest_recovery_point"] in [point["suffix"] for point in points if point["complete"]]
    make_group(pair, "empty")
    shown = user.good("--os-cloud site-a dr health show empty").out
    assert "no_members: the group has no member. Action: openstack protector protection-group member-add" in shown
