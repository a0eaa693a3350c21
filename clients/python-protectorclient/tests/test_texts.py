"""What people read: the layout of SYNC-06, plans, errors. And the courier's memory on disk."""

from __future__ import annotations

import stat

import pytest

from protectorclient.coordination.heads import Head
from protectorclient.coordination.status import Status
from protectorclient.exceptions import Problem, ProtectorError, Refused
from protectorclient.osc import texts
from protectorclient.osc.progress import bar
from protectorclient.osc.mapped import pairs_of
from protectorclient.osc.v1.protection_group import replication_type
from protectorclient.state import State, default_directory
from protectorclient.v1.transport import refused

AT = {"epoch": 3, "version": 17, "digest": "d"}


def status(peer, checks, **more) -> Status:
    fields = {
        "group": {"name": "web", "current_primary_site": "id-b"},
        "local": Head(at=AT, leads=True, synced=True),
        "peer": peer,
        "peer_problem": None,
        "modified_at_s": 0,
        "synced_at_s": 60,
        "now_s": 185,
        "carried": (3, 17),
        "checks": checks,
    }
    return Status(**{**fields, **more})


def test_sync_status_has_the_documented_layout():
    good = [("Versions match", True), ("Status is synced", True), ("Last sync is recent", True)]
    assert texts.sync_text(status(Head(at=AT, synced=True), good), {"id-b": "site-b"}.get, "b") == "\n".join(
        [
            "Sync Status: IN SYNC",
            "",
            "Local Metadata:",
            "  Version:        17 (epoch 3)",
            "  Current Site:   site-b",
            "  Last Modified:  1970-01-01T00:00:00Z",
            "",
            "Remote Sync:",
            "  Status:         SYNCED",
            "  Remote Version: 17 (epoch 3)",
            "  Last Sync:      1970-01-01T00:01:00Z (2 min ago)",
            "",
            "Validation:",
            "  [OK] Versions match",
            "  [OK] Status is synced",
            "  [OK] Last sync is recent",
        ]
    )


def test_both_sites_below_what_was_carried_is_told():
    behind = status(Head(at=AT, synced=True), [], carried=(3, 18))
    assert "one was restored" in texts.sync_text(behind, str, "b")
    assert "restored" not in texts.sync_text(status(Head(at=AT, synced=True), []), str, "b")


@pytest.mark.parametrize(
    "here,there,told",
    [
        (True, False, "Reason: this site was restored from a backup;"),
        (False, True, "Reason: cloud b was restored from a backup;"),
        (True, True, "Reason: this site and cloud b were restored from a backup;"),
    ],
)
def test_a_site_in_doubt_is_named_with_what_ends_the_doubt(here, there, told):
    local, peer = Head(at=AT, leads=True, synced=True, suspect=here), Head(at=AT, synced=True, suspect=there)
    lines = texts.sync_text(status(peer, [], local=local), str, "b").splitlines()
    assert lines[0] == "Sync Status: OUT OF SYNC"
    assert lines[-2].startswith(told)
    assert lines[-1] == "Action: openstack protector protection-group sync-force web"


@pytest.mark.parametrize("seconds,shown", [(-1, "0 s"), (59, "59 s"), (60, "1 min"), (7_199, "1 h"), (86_400, "1 d")])
def test_ages_are_rounded_down(seconds, shown):
    assert texts.age(seconds) == shown


@pytest.mark.parametrize("percent,filled", [(0, 0), (50, 15), (99, 29), (100, 30)])
def test_the_bar_is_full_at_the_end_only(percent, filled):
    assert bar({"progress": percent, "status": "running"}).count("#") == filled


def test_all_problems_are_shown_each_once_with_the_groups_name():
    error = {"message": "no", "reason": None, "remedy": "do <group>", "code": "c", "request_id": "r"}
    shown = refused("site-a", 409, {"error": error, "errors": [error, error, {**error, "message": "nor"}]})
    assert str(shown.for_group("web")) == "Error: no\nAction: do web\nError: nor\nAction: do web"


@pytest.mark.parametrize("name", ["$(rm)", "a b", "-x", ""])
def test_a_name_that_a_shell_would_read_is_not_put_into_a_command(name):
    error = ProtectorError("no", action="do <group>").for_group(name)
    assert "do <group>" in str(error)


def test_an_error_of_the_service_names_its_request():
    error = Refused("site-a", 503, [Problem("away")], "req-1")
    assert str(error).endswith("Request: req-1 at site-a")


@pytest.mark.parametrize("body", [None, "text", {}, {"error": None}, {"errors": ["x"]}, []])
def test_an_answer_of_somebody_else_is_no_answer(body):
    assert refused("site-a", 502, body).code == "no_answer"


def test_a_plan_says_what_it_found_as_an_error_would():
    found = {"code": "no_flavor", "member": "web-1", "message": "web-1: no flavor", "remedy": "openstack flavor create"}
    plan = {"kind": "failover", "site": "b", "on_member_failure": "stop", "stages": [], "point": None}
    left = {"name": "web-1", "reasons": [found]}
    plan.update(left_out=[left], warnings=[{"severity": "warning", "refusal": found}])
    said, shown = "no_flavor: web-1: no flavor (openstack flavor create)", texts.plan_text(plan, "shop", str)
    for line in (f"Left out: web-1: {said}", f"Warning: {said}"):
        assert line in shown.splitlines()


def test_mappings_are_written_as_source_and_target():
    assert pairs_of(["a=b", "c=d=e"]) == [("a", "b"), ("c", "d=e")]
    for bad in ("a", "a=", "=b"):
        with pytest.raises(ProtectorError):
            pairs_of([bad])


def test_both_spellings_of_a_replication_type():
    assert replication_type("<in> async") == replication_type("async") == "async"


def test_the_memory_is_private_whole_and_can_be_lost(tmp_path):
    state = State(tmp_path / "state", now_s=lambda: 7)
    assert state.peer_of("a") is None and state.kept("g") == {}
    state.remember_pair("a", "b")
    state.keep_envelope("g", {"payload": "{}"})
    state.keep_synced("g", AT)
    assert (state.peer_of("a"), state.peer_of("b")) == ("b", "a")
    assert state.kept("g") == {"envelope": {"payload": "{}"}, "carried_at_s": 7, "synced": AT, "synced_at_s": 7}
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert len(files) == 2 and all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    (tmp_path / "state" / "pairs.json").write_text("{", encoding="utf-8")
    assert state.peer_of("a") is None


def test_no_name_leaves_the_directory(tmp_path):
    for bad in ("../x", "a/b", ""):
        with pytest.raises(ProtectorError):
            State(tmp_path).keep_envelope(bad, {})


def test_where_the_memory_is():
    assert str(default_directory({"PROTECTOR_STATE_DIR": "/x"})) == "/x"
    assert str(default_directory({"XDG_STATE_HOME": "/y"})) == "/y/protectorclient"
