"""What can go wrong, in the words a user reads: what happened, why, and the command that helps.

Absent: deciding what to do about it; callers branch on `code` and on the class.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional


@dataclass(frozen=True)
class Problem:
    """One thing that speaks against a request."""

    what: str
    reason: Optional[str] = None
    action: Optional[str] = None
    code: str = ""

    def lines(self) -> list[str]:
        """`Error`, `Reason` and `Action`, as far as they are known (DOC-02)."""
        named = (("Error", self.what), ("Reason", self.reason), ("Action", self.action))
        return [f"{name}: {text}" for name, text in named if text]


class ProtectorError(Exception):
    """Anything that this package refuses or could not do."""

    def __init__(self, what: str, reason: Optional[str] = None, action: Optional[str] = None, code: str = ""):
        self.problems = [Problem(what, reason, action, code)]
        super().__init__(what)

    @property
    def code(self) -> str:
        """The stable code of the first problem, or an empty text."""
        return self.problems[0].code

    def for_group(self, group: str) -> "ProtectorError":
        """Puts the group's name where a remedy says `<group>`, if a shell takes it as it is."""
        if is_plain(group):
            self.problems = [_filled(problem, group) for problem in self.problems]
        return self

    def with_action(self, action: str) -> "ProtectorError":
        """The same, with another remedy for its first problem."""
        self.problems[0] = replace(self.problems[0], action=action)
        return self

    def __str__(self) -> str:
        return "\n".join(line for problem in self.problems for line in problem.lines())


def _filled(problem: Problem, group: str) -> Problem:
    return replace(problem, action=problem.action and problem.action.replace("<group>", group))


class Refused(ProtectorError):
    """A site answered with an error. Nothing was changed by that request."""

    def __init__(self, cloud: str, status: int, problems: list[Problem], request_id: str = ""):
        super().__init__(problems[0].what)
        self.problems = problems
        self.cloud = cloud
        self.status = status
        self.request_id = request_id

    def has_code(self, code: str) -> bool:
        """Whether any of the problems has this code."""
        return any(problem.code == code for problem in self.problems)

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}\nRequest: {self.request_id} at {self.cloud}" if self.status >= 500 else text


class NoAnswer(ProtectorError):
    """A site could not be asked, or did not answer: nothing is known of the request's effect."""

    def __init__(self, cloud: str, why: str):
        super().__init__(
            f"No answer from cloud {cloud}.",
            reason=why,
            action=f"openstack --os-cloud {cloud} catalog show protector; then curl the root of its endpoint",
            code="no_answer",
        )
        self.cloud = cloud


class LoginFailed(ProtectorError):
    """One of the two clouds does not let us in."""

    def __init__(self, cloud: str, why: str):
        super().__init__(
            f"Cannot log in at cloud {cloud}.",
            reason=why,
            action=f"correct the entry {cloud} in clouds.yaml, then try: "
            f"openstack --os-cloud {cloud} token issue",
            code="login_failed",
        )
        self.cloud = cloud


class PeerRequired(ProtectorError):
    """Something needs both sites and one does not answer. Nothing was changed."""

    def __init__(self, what: str, why: ProtectorError, action: str):
        super().__init__(what, reason=_one_line(why), action=action, code="peer_required")


class Unfinished(ProtectorError):
    """Half of it is done; the action finishes it."""

    def __init__(self, what: str, why: Optional[ProtectorError], action: str):
        super().__init__(what, reason=_one_line(why) if why else None, action=action, code="unfinished")


def _one_line(error: ProtectorError) -> str:
    first = error.problems[0]
    return f"{first.what} {first.reason}" if first.reason else first.what


def is_plain(name: str) -> bool:
    """Whether a name can be pasted into a shell as it is."""
    allowed = all(c.isascii() and (c.isalnum() or c in "-_.") for c in name)
    return bool(name) and not name.startswith("-") and allowed


def sync_force(group: str) -> str:
    """The command that finishes whatever a courier left."""
    return f"openstack protector protection-group sync-force {group if is_plain(group) else '<group>'}"
