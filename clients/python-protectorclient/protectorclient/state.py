"""What a courier remembers between two commands: which clouds belong together, and what it carried last.

Owns the state directory: `PROTECTOR_STATE_DIR`, else `$XDG_STATE_HOME/protectorclient`. Files are the
owner's alone and are replaced as a whole. Absent: anything that a decision rests on. Losing the directory
costs the user one option on the next command.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Callable, Optional

from protectorclient.exceptions import ProtectorError, is_plain

PAIRS = "pairs.json"
NAMES = "sites.json"
GROUPS = "groups.json"
#: Names of groups that are remembered; the oldest goes first.
GROUPS_MAX = 1_000
ENVELOPES = "envelopes"


def default_directory(environ: Optional[dict] = None) -> Path:
    """Where the state is kept unless a caller says otherwise."""
    found = os.environ if environ is None else environ
    named = found.get("PROTECTOR_STATE_DIR")
    if named:
        return Path(named)
    base = found.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "protectorclient"


class State:
    """The directory; made when something is written first. `now_s` gives seconds since 1970."""

    def __init__(self, directory: Optional[Path] = None, now_s: Callable[[], float] = time.time):
        self.directory = directory or default_directory()
        self.now_s = now_s

    def peer_of(self, cloud: str) -> Optional[str]:
        """The cloud that was last named beside this one."""
        peer = self._read(self.directory / PAIRS).get(cloud)
        return peer if isinstance(peer, str) else None

    def remember_pair(self, one: str, other: str) -> None:
        """From now on each is the other's secondary cloud unless a command names another."""
        pairs = self._read(self.directory / PAIRS)
        if pairs.get(one) != other or pairs.get(other) != one:
            self._write(self.directory / PAIRS, {**pairs, one: other, other: one})

    def site_name(self, site_id: str) -> Optional[str]:
        """What people call a site; groups name their sites by id."""
        name = self._read(self.directory / NAMES).get(site_id)
        return name if isinstance(name, str) else None

    def remember_name(self, site_id: str, name: str) -> None:
        names = self._read(self.directory / NAMES)
        if names.get(site_id) != name:
            self._write(self.directory / NAMES, {**names, site_id: name})

    def group_id(self, name: str) -> Optional[str]:
        """The group that was last found under this name; a deleted one has no name at the sites."""
        found = self._read(self.directory / GROUPS).get(name)
        return found if isinstance(found, str) else None

    def remember_group(self, name: str, group: str) -> None:
        known = self._read(self.directory / GROUPS)
        if known.get(name) != group:
            known.pop(name, None)
            newest = list(known.items())[1 - GROUPS_MAX :]
            self._write(self.directory / GROUPS, {**dict(newest), name: group})

    def keep_envelope(self, group: str, envelope: dict) -> None:
        """The newest record of a group that this courier carried, as it was signed."""
        kept = {"envelope": envelope, "carried_at_s": int(self.now_s())}
        self._write(self._envelope(group), kept)

    def keep_synced(self, group: str, at: dict) -> None:
        """Both sites were seen with exactly this record."""
        kept = self._read(self._envelope(group))
        self._write(self._envelope(group), {**kept, "synced": at, "synced_at_s": int(self.now_s())})

    def kept(self, group: str) -> dict:
        """`envelope`, `carried_at_s`, `synced`, `synced_at_s`, as far as they are known."""
        return self._read(self._envelope(group))

    def _envelope(self, group: str) -> Path:
        if not is_plain(group):
            raise ProtectorError(f"{group!r} is no group's id.")
        return self.directory / ENVELOPES / f"{group}.json"

    def _read(self, path: Path) -> dict:
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        except OSError as error:
            raise self._failed("read", path, error) from error
        return value if isinstance(value, dict) else {}

    def _write(self, path: Path, value: dict) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Private from the start, and under its name only when whole.
            handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(value, file)
            os.replace(draft, path)
        except OSError as error:
            raise self._failed("write", path, error) from error

    def _failed(self, verb: str, path: Path, error: OSError) -> ProtectorError:
        return ProtectorError(
            f"Cannot {verb} {path}.",
            reason=str(error),
            action="make it possible, or set PROTECTOR_STATE_DIR to another directory",
        )
