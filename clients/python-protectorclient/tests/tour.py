"""Documents as transcripts: every `console` block is run, and what it prints is what stands there.

`python -m tests.tour` writes them anew from what the commands print now. With `--against CLOUDS` it compares, on two
clouds that are there already and have the tour's servers; all that may differ is listed in `VOLATILE`. A line that
starts with `#` is done by us: a cloud that does not answer this user any more, a site that is lost for everybody, and what is waited for.
Absent: judging the text between the blocks.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
import tempfile
from pathlib import Path
from typing import Iterator, Optional

from protectorclient.exceptions import Refused
from tests.groups import add_member, make_group, until_movable
from tests.lab import Clouds, Lab, User, until

README = Path(__file__).resolve().parents[1] / "README.md"
OPERATIONS = Path(__file__).resolve().parents[3] / "docs" / "operations"
#: The page for the night and the drill begin with a protected group.
NIGHT = OPERATIONS / "site-lost.md"
DRILL = OPERATIONS / "db-restored.md"
GROUP = "web"
#: How long the survivor may take to stop the old servers, and a point to arrive, seconds.
FENCED_LIMIT_S = 90.0
POINT_LIMIT_S = 90.0
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOST = re.compile(r"^# (\S+) does not answer any more$")
BACK = re.compile(r"^# (\S+) answers again$")
PROMPT = "$ openstack "
MANAGE = "$ protector-manage "
BACKUP = "site-a.backup"
VMS = 3

#: What differs from run to run, and what it becomes before it is compared.
VOLATILE = (
    (re.compile(r"\b[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b(prt-)?[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"\bprotector-[0-9a-f]{12}\b"), "<array group>"),
    (re.compile(r"\b([0-9a-f]{4}-){15}[0-9a-f]{4}\b"), "<fingerprint>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "<clock>"),
    (re.compile(r"\b1\d{12}\b"), "<mark>"),
    (re.compile(r"\(\d+ (s|min) ago\)"), "(<age> ago)"),
    (re.compile(r"at most \d+ s"), "at most <age>"),
    (re.compile(r"https://array-[ab]\.test|https://127\.0\.0\.1:\d+"), "<array>"),
    (re.compile(r"127\.0\.0\.1:\d+\b|'127\.0\.0\.1', port=\d+"), "<host>"),
    (re.compile(r"<host>(/identity)?/v3\b"), "<keystone>"),
    (re.compile(r"\b10(\.\d{1,3}){3}\b"), "<address>"),
    (re.compile(r"-{3,}"), "---"),
    (re.compile(r"\s+"), " "),
)
STEP = re.compile(r"^  \d\d:\d\d:\d\d  ")
#: Depends on how fast the machine is; fencing goes on after the end.
MAYBE = re.compile(r"^Waiting: | tried again| fence_source ")


def normal(text: str) -> list:
    """Lines to compare. Steps of VMs run side by side, so their order among each other does not count."""
    lines, steps = [], []
    for line in text.splitlines():
        if MAYBE.search(line):
            continue
        is_step = STEP.match(line) is not None
        for pattern, shown in VOLATILE:
            line = pattern.sub(shown, line)
        if is_step:
            steps.append(line.strip())
            continue
        lines += [*sorted(steps), line.strip()]
        steps = []
    return lines + sorted(steps)


def commands(block: str) -> list:
    """Pairs of a line to do and what is printed after it."""
    found: list = []
    for line in block.splitlines(keepends=True):
        if line.startswith(("$ ", "# ")):
            found.append([line.rstrip("\n"), ""])
        else:
            found[-1][1] += line
    return found


class Guide:
    """Does what the blocks of a document say, at a lab of its own."""

    def __init__(self, home: Path, document: Path, clouds: Optional[Path] = None):
        self.lab = Clouds(home, clouds) if clouds else Lab(home, VMS)
        self.user = User(self.lab, "guide")
        if document in (NIGHT, DRILL):
            self._protect()
        if document == DRILL:
            (self.lab.state / "phrase").write_text("only for this drill\n", encoding="utf-8")

    def _protect(self) -> None:
        pair = self.lab.pair(self.user.state)
        pair.state.remember_pair("site-a", "site-b")
        pair.state.remember_pair("site-a-admin", "site-b-admin")
        group = make_group(pair, GROUP, "web-1")
        add_member(pair, group, "web-2")
        until_movable(pair, group)

    def do(self, line: str) -> str:
        if line.startswith("# "):
            self._aside(line)
            return ""
        if line.startswith(MANAGE):
            return self.lab.manage(line[len(MANAGE) :])
        assert line.startswith(PROMPT), line
        return self.user.run(line[len(PROMPT) :], merged=True).out

    def _aside(self, line: str) -> None:
        lost, back = LOST.match(line), BACK.match(line)
        if lost or back:
            self.user.clouds = self.lab.without(lost.group(1)) if lost else None
        elif line == "# site-a is lost":
            self.lab.lose_a()
        elif line == "# site-a is back":
            self.lab.bring_a_back()
        elif line == "# the database of site-a is backed up":
            self.lab.back_up("site-a", BACKUP)
        elif line == "# the backup is put in the place of site-a's database":
            self.lab.put_back("site-a", BACKUP)
        elif line == "# the old servers are stopped":
            until(FENCED_LIMIT_S, "no split_brain", lambda: "split_brain" not in str(self._shown()["conditions"]), 0.5)
        else:
            assert line == "# a recovery point has arrived at site-a", f"what is {line!r}?"
            until(POINT_LIMIT_S, "a recovery point", self._has_way_home, 0.5)

    def _shown(self) -> dict:
        return self.lab.client("site-b").groups.show(GROUP)

    def _has_way_home(self) -> bool:
        try:
            self.lab.client("site-a").groups.action(GROUP, "failback", {"type": "planned", "dry_run": True})
        except Refused as error:
            assert error.code == "nothing_to_recover", error
            return False
        return True


def rewrite(home: Path, document: Path) -> None:
    """The document with today's outputs."""
    guide = Guide(home, document)
    try:

        def told(found: re.Match) -> str:
            done = [(line, guide.do(line)) for line, _ in commands(found.group(1))]
            return "```console\n" + "".join(f"{line}\n{out}" for line, out in done) + "```"

        document.write_text(BLOCK.sub(told, document.read_text(encoding="utf-8")), encoding="utf-8")
    finally:
        guide.lab.stop()


def steps(document: Path) -> list:
    """All that a document does, each with what is printed after it."""
    blocks = BLOCK.findall(document.read_text(encoding="utf-8"))
    return [step for block in blocks for step in commands(block)]


def differences(guide: Guide, document: Path) -> Iterator[str]:
    """Where a command says something else than stands in the document."""
    for line, expected in steps(document):
        print(line, flush=True)
        said, wanted = normal(guide.do(line)), normal(expected)
        if said != wanted:
            yield "\n".join([line, *difflib.unified_diff(wanted, said, "the document", "today", lineterm="")])


def compare(home: Path, clouds: Path) -> int:
    """How many commands of the README's tour say something else on these clouds."""
    guide = Guide(home, README, clouds)
    found = list(differences(guide, README))
    for difference in found:
        print(f"DIFFERS: {difference}")
    print(f"the tour: {len(found)} answers are not as they stand in the document")
    return len(found)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.tour", description=__doc__)
    parser.add_argument("documents", nargs="*", help="names of those to write anew; all of them if none is named")
    parser.add_argument("--against", type=Path, metavar="CLOUDS", help="a clouds.yaml; nothing is written")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        if asked.against:
            return 1 if compare(Path(made), asked.against.absolute()) else 0
        for wanted in (README, NIGHT, DRILL):
            if not asked.documents or wanted.name in asked.documents:
                home = Path(made) / wanted.stem
                home.mkdir()
                rewrite(home, wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
