"""A pair of pretend sites as a process, or a pair that is there already, and the stock `openstack` shell as its user.

Absent: any pretended answer. The lab's binary is built by somebody else and named by `PROTECTOR_LAB`.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

import yaml

from protectorclient.coordination import Pair
from protectorclient.session import client_of_cloud
from protectorclient.state import State
from protectorclient.v1 import Client

#: Where the binary is unless PROTECTOR_LAB says otherwise.
BUILT = Path(__file__).resolve().parents[3] / "target" / "debug" / "protector-lab"
#: How long the sites may take to come up, and to go, seconds.
UP_LIMIT_S = 60.0
DOWN_LIMIT_S = 20.0
POLL_S = 0.05
#: How long one command may take, seconds.
COMMAND_LIMIT_S = 90


def until(limit_s: float, what: str, found: Callable[[], object], pause_s: float = POLL_S) -> object:
    """Waits for a condition. Errors: `AssertionError` when the time is up."""
    end = time.monotonic() + limit_s
    while True:
        value = found()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {limit_s} s"
        time.sleep(pause_s)


@dataclass
class Ran:
    """What a command printed and how it ended; negative: by which signal."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


class Clouds:
    """Two clouds with the product at both, which somebody keeps up."""

    def __init__(self, home: Path, clouds: Path):
        self.home = home
        self.clouds = clouds

    def stop(self) -> None:
        """They go on: they are not ours."""

    def environment(self, state: Path, clouds: Optional[Path] = None) -> dict:
        """What a user's shell has; `state` is the courier's directory."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
        named = {"OS_CLIENT_CONFIG_FILE": str(clouds or self.clouds), "PROTECTOR_STATE_DIR": str(state)}
        return {**kept, **named, "COLUMNS": "200", "HOME": str(self.home)}

    def client(self, cloud: str) -> Client:
        """One site for a test itself, without a shell."""
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(self.clouds)
        return client_of_cloud(cloud)

    def pair(self, state: Path) -> Pair:
        """The tenant at both sites, logged in at site-a."""
        return Pair(self.client("site-a"), self.client("site-b"), State(state))

    def clouds_with(self, cloud: str, **auth: str) -> Path:
        """The same clouds.yaml, with something else in one entry's `auth`."""
        value = yaml.safe_load(self.clouds.read_text(encoding="utf-8"))
        value["clouds"][cloud]["auth"].update(auth)
        path = self.home / f"clouds-{cloud}-{'-'.join(sorted(auth))}.yaml"
        path.write_text(yaml.safe_dump(value), encoding="utf-8")
        return path

    def without(self, cloud: str) -> Path:
        """A clouds.yaml with which `cloud` cannot be reached: nobody listens at its Keystone."""
        return self.clouds_with(cloud, auth_url="http://127.0.0.1:9/identity/v3")


class Lab(Clouds):
    """Both pretend sites, up."""

    def __init__(self, home: Path, vms: int):
        self.state = home / "sites"
        super().__init__(home, self.state / "clouds.yaml")
        self._binary = os.environ.get("PROTECTOR_LAB") or str(BUILT)
        self._log = open(home / "lab.log", "w", encoding="utf-8")
        volumes = vms + vms // 2
        command = [self._binary, "up", "--state", str(self.state), "--vms", str(vms), "--volumes", str(volumes)]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        until(UP_LIMIT_S, "both sites are up", self._is_up)
        self.told = json.loads((self.state / "lab.json").read_text(encoding="utf-8"))

    def _is_up(self) -> bool:
        assert self._process.poll() is None, (self.home / "lab.log").read_text(encoding="utf-8")
        return (self.state / "lab.json").exists()

    def lose_a(self) -> None:
        """Site A is gone for everybody: its cloud, its array, its product. Its VMs run on."""
        self._tell(signal.SIGUSR1, "site-a is lost")

    def bring_a_back(self) -> None:
        self._tell(signal.SIGUSR2, "site-a is back")

    def manage(self, line: str) -> str:
        """`protector-manage <line>`, built beside the lab, in the directory of its files. Answers what it printed,
        with paths as seen from there."""
        binary = Path(self._binary).with_name("protector-manage")
        command = [str(binary), *shlex.split(line)]
        outs = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        ran = subprocess.run(command, cwd=self.state, timeout=UP_LIMIT_S, check=False, **outs)
        return ran.stdout.replace(f"{self.state}/", "")

    def back_up(self, site: str, name: str) -> None:
        """A whole copy of a site's database, while the site runs."""
        with closing(sqlite3.connect(self._database(site))) as live, closing(sqlite3.connect(self.state / name)) as copy:
            live.backup(copy)

    def put_back(self, site: str, name: str) -> None:
        """The copy takes the place of the database of a site that is down."""
        database = self._database(site)
        for end in ("-wal", "-shm"):
            Path(f"{database}{end}").unlink(missing_ok=True)
        shutil.copyfile(self.state / name, database)

    def _database(self, site: str) -> Path:
        return Path(self.told["sites"][site]["database"])

    def _tell(self, number: int, answer: str) -> None:
        self._process.send_signal(number)

        def is_done() -> bool:
            assert self._process.poll() is None, "the lab ended"
            return answer in (self.home / "lab.log").read_text(encoding="utf-8")

        until(UP_LIMIT_S, answer, is_done)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(DOWN_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(DOWN_LIMIT_S)
        self._log.close()


class User:
    """Somebody at a shell with `openstack`, and a courier's memory of their own."""

    def __init__(self, lab: Clouds, name: str):
        self.lab = lab
        self.state = lab.home / f"user-{name}"
        self.clouds: Optional[Path] = None

    def run(self, line: str, hook: Optional[Callable[[], None]] = None, merged: bool = False) -> Ran:
        """`openstack <line>` in a process of its own. `hook` runs in it first, to plan its death.

        `merged`: everything in `out`, in the order in which a terminal would show it.
        """
        environ = self.lab.environment(self.state, self.clouds)
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            child = os.fork()
            if child == 0:
                _be_openstack(shlex.split(line), environ, (out.fileno(), (out if merged else err).fileno()), hook)
            code = _wait(child)
            out.seek(0)
            err.seek(0)
            return Ran(code, out.read(), err.read())

    def good(self, line: str) -> Ran:
        """As `run`; it has to succeed."""
        ran = self.run(line)
        assert ran.code == 0, f"openstack {line}\n{ran.out}{ran.err}"
        return ran


def _be_openstack(argv: list, environ: dict, outs: tuple, hook: Optional[Callable[[], None]]) -> None:
    """In the child: becomes the stock shell and never returns."""
    code = 120
    try:
        signal.alarm(COMMAND_LIMIT_S)
        for target, source in zip((1, 2), outs):
            os.dup2(source, target)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
        sys.stdin = open(os.devnull, encoding="utf-8")
        os.environ.clear()
        os.environ.update(environ)
        if hook:
            hook()
        from openstackclient import shell

        code = shell.main(argv)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:  # the child may only end one way
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


def _wait(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
