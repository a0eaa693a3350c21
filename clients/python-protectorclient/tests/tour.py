"""The README's tour as a transcript: every `console` block is run, and what it prints is what stands there.

`python -m tests.tour` writes the README anew from what the commands print now. A line `# <cloud> does not answer
any more` or `# <cloud> answers again` is done by us. Absent: judging the text between the blocks.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from tests.lab import Lab, User

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOST = re.compile(r"^# (\S+) does not answer any more$")
BACK = re.compile(r"^# (\S+) answers again$")
PROMPT = "$ openstack "
VMS = 3

#: What differs from run to run, and what it becomes before it is compared.
VOLATILE = (
    (re.compile(r"\b[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b(prt-)?[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"\bprotector-[0-9a-f]{12}\b"), "<array group>"),
    (re.compile(r"\b([0-9a-f]{4}-){15}[0-9a-f]{4}\b"), "<fingerprint>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "<clock>"),
    (re.compile(r"\(\d+ (s|min) ago\)"), "(<age> ago)"),
    (re.compile(r"at most \d+ s"), "at most <age>"),
    (re.compile(r"127\.0\.0\.1:\d+\b"), "<host>"),
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
    """Does what the blocks say, at a lab of its own."""

    def __init__(self, home: Path):
        self.lab = Lab(home, VMS)
        self.user = User(self.lab, "guide")

    def do(self, line: str) -> str:
        if line.startswith("# "):
            lost, back = LOST.match(line), BACK.match(line)
            assert lost or back, f"what is {line!r}?"
            self.user.clouds = self.lab.without(lost.group(1)) if lost else None
            return ""
        assert line.startswith(PROMPT), line
        return self.user.run(line[len(PROMPT) :], merged=True).out


def rewrite(home: Path) -> None:
    """The README with today's outputs."""
    guide = Guide(home)
    try:

        def told(found: re.Match) -> str:
            done = [(line, guide.do(line)) for line, _ in commands(found.group(1))]
            return "```console\n" + "".join(f"{line}\n{out}" for line, out in done) + "```"

        README.write_text(BLOCK.sub(told, README.read_text(encoding="utf-8")), encoding="utf-8")
    finally:
        guide.lab.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        rewrite(Path(made))
