"""The README's tour, the page for the night and the drill still run as they are written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tour import DRILL, NIGHT, README, Guide, differences, steps


@pytest.mark.parametrize("document,steps_min", [(README, 20), (NIGHT, 20), (DRILL, 12)], ids=["tour", "night", "drill"])
def test_a_document_runs_as_it_is_written(tmp_path, lab, document, steps_min):
    assert len(steps(document)) >= steps_min
    guide = Guide(tmp_path, document)
    try:
        first = next(differences(guide, document), None)
        assert first is None, first
    finally:
        guide.lab.stop()


def test_the_installed_command_knows_the_commands(lab, tmp_path):
    """The rest of the tests fork a loaded shell; this is the command as a user starts it."""
    openstack = Path(sys.executable).parent / "openstack"
    environ = lab.environment(tmp_path / "state")
    line = [openstack, "--os-cloud", "site-a", "protector", "site", "list", "-f", "value", "-c", "name"]
    ran = subprocess.run(line, env=environ, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "site-b\n"
    told = subprocess.run([openstack, "dr", "--help"], env=environ, capture_output=True, text=True, timeout=60, check=False)
    for command in ("dr failover", "dr protection-group create", "dr tenant mapping create", "dr operation show"):
        assert command in told.stdout + told.stderr
