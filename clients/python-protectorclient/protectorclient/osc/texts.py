"""Plans and sync states as text for people.

Absent: data for programs; `-f json` shows the API's own.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Callable, Optional

from protectorclient.coordination.heads import PeerWord
from protectorclient.coordination.status import Status

STEP_TARGETS = ("server", "copies", "imports", "ports", "volumes", "suffix", "array")
ON_FAILURE = {"continue": "the others go on, it is listed", "stop": "everything goes back"}


def sync_text(status: Status, site_name: Callable[[str], str], peer_cloud: Optional[str]) -> str:
    """SYNC-06: overall, local, remote, validation."""
    modified = utc(status.modified_at_s) or "not known to this client"
    lines = [
        f"Sync Status: {'IN SYNC' if status.in_sync else 'OUT OF SYNC'}",
        "",
        "Local Metadata:",
        f"  Version:        {status.local.shown}",
        f"  Current Site:   {current_site(status, site_name) or 'none, the group is deleted'}",
        f"  Last Modified:  {modified}",
        "",
        "Remote Sync:",
        f"  Status:         {status.peer_word.value.upper()}",
        f"  Remote Version: {status.peer.shown if status.peer else 'unknown'}",
        f"  Last Sync:      {last_sync(status)}",
        "",
        "Validation:",
        *(f"  [OK] {what}" if good else f"  [!!] {negated(what, status)}" for what, good in status.checks),
        *_notes(status, peer_cloud),
    ]
    return "\n".join(lines)


def current_site(status: Status, site_name: Callable[[str], str]) -> Optional[str]:
    """None: the group is deleted."""
    leading = status.group.get("current_primary_site")
    return site_name(leading) if leading else None


def _notes(status: Status, peer_cloud: Optional[str]) -> list[str]:
    notes = []
    lock = status.local.lock or (status.peer.lock if status.peer else None)
    if lock:
        notes.append(f"Operation: {lock['operation']} of the {lock['holder']} site holds the lock")
    if status.peer_problem:
        problem = status.peer_problem.problems[0]
        notes += [f"Reason: {problem.what} {problem.reason or ''}".rstrip(), f"Action: {problem.action}"]
    elif in_doubt := _in_doubt(status, peer_cloud):
        notes.append(f"Reason: {in_doubt}; until it has heard where the other stands, it leads and starts nothing")
        notes.append(_force(status))
    elif status.is_behind_courier:
        notes.append("Reason: this client has carried a newer record than both sites have: one was restored")
        notes.append("Action: the administrator of that one: protector-manage db restored; then sync-force")
    elif status.peer_word is not PeerWord.SYNCED:
        notes.append(_force(status))
    return ["", *notes] if notes else []


def _force(status: Status) -> str:
    return f"Action: openstack protector protection-group sync-force {status.group['name']}"


def _in_doubt(status: Status, peer_cloud: Optional[str]) -> str:
    """Which site was restored from a backup and is not trusted yet."""
    there = f"cloud {peer_cloud}" if peer_cloud else "the other site"
    restored = [(status.local.suspect, "this site"), (status.peer is not None and status.peer.suspect, there)]
    sites = [name for suspect, name in restored if suspect]
    if not sites:
        return ""
    return f"{' and '.join(sites)} {'was' if len(sites) == 1 else 'were'} restored from a backup"


def negated(check: str, status: Status) -> str:
    """What is not so; versions that were not seen neither match nor differ."""
    differ = " differ" if status.peer else " cannot be compared"
    return check.replace(" match", differ).replace(" is ", " is not ")


def last_sync(status: Status) -> str:
    at = utc(status.synced_at_s)
    if at is None or status.synced_at_s is None:
        return "never by this client"
    return f"{at} ({age(status.now_s - status.synced_at_s)} ago)"


def age(seconds: int) -> str:
    """`12 s`, `3 min`, `5 h`, `2 d`; rounded down."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def utc(seconds: Optional[int]) -> Optional[str]:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def plan_text(plan: dict, group: str, site_name: Callable[[str], str], is_dry: bool = True) -> str:
    """What is done, stage by stage; lanes of a stage run side by side."""
    lines = [
        f"Plan: {plan['kind']} of {group} at {site_name(plan['site'])}." + (" Nothing was changed." if is_dry else ""),
        f"Recovery point: {_point(plan)}",
        f"If a member fails: {ON_FAILURE.get(plan['on_member_failure'], plan['on_member_failure'])}",
        "",
    ]
    for number, stage in enumerate(plan["stages"], 1):
        lines.append(f"{number:3d}. {stage['name']}")
        lines.extend(f"       {lane['title']}: {_steps(lane)}" for lane in stage["lanes"])
    lines += [f"Left out: {_left_out(left)}" for left in plan.get("left_out", [])]
    lines += [f"Warning: {_refusal(finding['refusal'])}" for finding in plan.get("warnings", [])]
    return "\n".join(lines)


def _point(plan: dict) -> str:
    point = plan.get("point")
    if not point:
        return "none"
    if any(step["step"] == "take_last_point" for step in _all_steps(plan)):
        return "taken when the servers have stopped; nothing is lost"
    loss = "unknown" if point.get("age_s") is None else f"at most {point['age_s']} s are lost"
    return f"{point['suffix']} of {utc(point['created_ms'] // 1000)}; {loss}"


def _all_steps(plan: dict) -> list:
    return [step for stage in plan["stages"] for lane in stage["lanes"] for step in lane["steps"]]


def _steps(lane: dict) -> str:
    return ", ".join(_step(step) for step in lane["steps"])


def _step(step: dict) -> str:
    """The step's name, and how many things it is about."""
    counted = [f"{len(step[key])} {key}" for key in STEP_TARGETS if isinstance(step.get(key), list) and step[key]]
    return f"{step['step']} ({', '.join(counted)})" if counted else str(step["step"])


def _left_out(left: dict) -> str:
    return f"{left['name']}: " + "; ".join(_refusal(reason) for reason in left["reasons"])


def _refusal(refusal: dict) -> str:
    """Its code, and what an error would say: what, and the command that helps."""
    return f"{refusal['code']}: {refusal['message']} ({refusal['remedy']})"
