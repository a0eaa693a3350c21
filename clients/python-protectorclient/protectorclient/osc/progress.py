"""Shows a running operation: a bar that is redrawn on a terminal, a line per step anywhere else.

Absent: asking (`protectorclient.coordination.watch`).
"""

from __future__ import annotations

from typing import Any

BAR_CELLS = 30
#: Kinds of events that a step line is worth.
TOLD = {
    "accepted": "accepted",
    "resumed": "goes on",
    "step_done": "done",
    "step_retried": "tried again",
    "step_failed": "FAILED",
    "step_undone": "taken back",
    "undo_failed": "CANNOT BE TAKEN BACK",
    "adopted": "found and adopted",
    "stray_removed": "stray removed",
    "warning": "warning",
    "ended": "ended",
}


class Progress:
    """Listener of `watch.wait`; writes to `out`, which is never where data goes."""

    def __init__(self, out: Any):
        self._out = out
        self._live = bool(getattr(out, "isatty", lambda: False)())
        self._is_open = False
        self._titles: dict[str, str] = {}

    def __call__(self, operation: dict, events: list) -> None:
        if not self._titles:
            self._titles = titles(operation.get("plan") or {})
        for event in events:
            if event["kind"] in TOLD:
                self._line(self._told(event))
        if self._live:
            self._out.write(f"\r{bar(operation)}\x1b[K")
            self._is_open = True
        self._out.flush()

    def close(self) -> None:
        """Leaves the bar's line, however the waiting ended."""
        if self._is_open:
            self._out.write("\n")
            self._is_open = False

    def _line(self, text: str) -> None:
        self._out.write(f"\r\x1b[K{text}\n" if self._live else f"{text}\n")

    def _told(self, event: dict) -> str:
        lane = self._titles.get(event.get("lane") or "", "the group")
        what = f"{lane}: {event['step']} {TOLD[event['kind']]}" if event.get("step") else TOLD[event["kind"]]
        text = f": {event['text']}" if event.get("text") else ""
        return f"  {event['at'][11:19]}  {what}{text}"


def bar(operation: dict) -> str:
    """`[#####.....]  43 %  running`."""
    cells = BAR_CELLS * int(operation["progress"]) // 100
    filled = "#" * cells + "." * (BAR_CELLS - cells)
    return f"[{filled}] {operation['progress']:3d} %  {operation['status']}"


def titles(plan: dict) -> dict:
    """What people call the lanes of a plan, by id."""
    lanes = [lane for stage in plan.get("stages", []) for lane in stage["lanes"]]
    return {lane["id"]: lane["title"] for lane in lanes}
