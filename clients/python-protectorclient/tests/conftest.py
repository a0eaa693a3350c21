"""Fixtures: one pair of sites for all tests but the tour, and users of it."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import openstack.connection  # noqa: F401
import openstackclient.shell  # noqa: F401
import pytest

from protectorclient.state import State
from tests.lab import Lab, User

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
#: VMs of the shared sites; each test protects its own.
VMS = 50


def _load_shell() -> None:
    """Loads every command of the stock shell once, so that a command is a fork and not a start of Python."""
    found = metadata.entry_points()
    groups = found.groups if hasattr(found, "groups") else found
    known = {point.name for point in _of(found, "openstack.protector.v1")}
    written = set(re.findall(r"^((?:protector|dr)_[\w-]+) =", PROJECT.read_text(encoding="utf-8"), re.MULTILINE))
    assert known == written, "an old installation is in the way: remove *.egg-info, then pip install -e . again"
    for group in sorted(group for group in groups if group.startswith("openstack.")):
        for point in _of(found, group):
            point.load()


def _of(found, group: str) -> list:
    """The entry points of a group; Python 3.9 has a dictionary here."""
    return list(found.select(group=group)) if hasattr(found, "select") else list(found.get(group, ()))


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    _load_shell()
    lab = Lab(tmp_path_factory.mktemp("lab"), VMS)
    yield lab
    lab.stop()


@pytest.fixture(scope="session")
def vms(lab):
    """Names of VMs that no test has used yet."""
    return iter([f"web-{number}" for number in range(1, VMS + 1)])


@pytest.fixture
def user(lab, request):
    """Somebody who named the second cloud earlier."""
    user = User(lab, "".join(c if c.isalnum() else "-" for c in request.node.name))
    state = State(user.state)
    state.remember_pair("site-a", "site-b")
    state.remember_pair("site-a-admin", "site-b-admin")
    return user
