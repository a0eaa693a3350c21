"""Long-running processes, each known by its number and the moment it was started.

Absent: finding processes by name. A number that a stranger took over is never taken for ours.
"""

import os
import pathlib
import signal
import subprocess
import time

from places import PLUGINS, Refused

# How long a process may take to end after SIGTERM before it gets SIGKILL, seconds.
STOP_S = 15
# How long the end of a killed process may take to show, seconds.
KILL_S = 5
LOOK_EVERY_S = 0.1
# How much of a dead process's log an error shows, characters.
LOG_TAIL = 3000


def started(pid):
    """When the kernel started a process, in its ticks; None when it does not run."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rsplit(")", 1)[1].split()
    return None if fields[0] in "ZX" else fields[19]


def until(check, seconds, what):
    """Asks `check` until it says yes."""
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            raise Refused(f"{what}: not so after {seconds} s")
        time.sleep(LOOK_EVERY_S)


class Processes:
    """The processes of one cloud, or the arrays: records in `run`, output in `log`."""

    def __init__(self, run, log, venv):
        self.run, self.log, self.venv = run, log, venv
        # When the youngest was started by us, seconds since the epoch.
        self.last_start = 0

    def names(self):
        return sorted(path.stem for path in self.run.glob("*.pid"))

    def pid(self, name):
        """Its number while it runs, else None."""
        try:
            pid, begun = (self.run / f"{name}.pid").read_text().split()
            return int(pid) if started(int(pid)) == begun else None
        except (OSError, ValueError):
            return None

    def start(self, name, argv, cwd, env=None, out=None):
        """Starts it unless it runs; it outlives us. `out` takes its standard output."""
        if self.pid(name):
            return
        log = open(self.log / f"{name}.log", "ab")
        with log, open(out, "wb") if out else log as told:
            process = subprocess.Popen(
                [str(word) for word in argv],
                env=self.environment(env or {}),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=log,
                start_new_session=True,
            )
        record = f"{process.pid}\n{started(process.pid)}\n"
        (self.run / f"{name}.pid").write_text(record)
        self.last_start = time.time()

    def environment(self, more):
        """Ours without what would lead a service astray, and with `more`."""
        lead = ("OS_", "RABBITMQ_", "ERL_", "PYTHON")
        env = {k: v for k, v in os.environ.items() if not k.startswith(lead)}
        env = {k: v for k, v in env.items() if not k.lower().endswith("_proxy")}
        env["PATH"] = f"{self.venv / 'bin'}:{env.get('PATH', '')}:/usr/sbin"
        env["PYTHONPATH"] = str(PLUGINS)
        return {**env, **more}

    def check(self, name):
        """Refuses when it does not run any more."""
        if not self.pid(name):
            tail = (self.log / f"{name}.log").read_text(errors="replace")[-LOG_TAIL:]
            raise Refused(f"{name} ended; the end of {self.log}/{name}.log:\n{tail}")

    def wait(self, name, check, seconds=120):
        """Waits until `check` says yes of a process that runs."""

        def look():
            self.check(name)
            return check()

        until(look, seconds, f"{name} is healthy (its log is in {self.log})")

    def stop(self, name, patience=STOP_S):
        """Ends it and what it forked. Patience 0: SIGKILL at once."""
        pid = self.pid(name)
        if pid:
            if patience:
                os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + patience
            while self.pid(name) and time.monotonic() < end:
                time.sleep(LOOK_EVERY_S)
            try:  # the rest of the session that this process led
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            until(lambda: not self.pid(name), KILL_S, f"{name} with pid {pid} ends")
        (self.run / f"{name}.pid").unlink(missing_ok=True)


def memory_kib(leader):
    """Memory of a process and of what it forked, shared pages counted once (PSS)."""
    total = 0
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(stat[3]) != leader:  # its session
                continue
            for line in (entry / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except (OSError, ValueError):
            continue
    return total
