"""Waiting for an operation: its story as it happens, to whoever listens, until it ends.

Asked by event number, so nothing is missed and nothing comes twice, whatever the network does between.
Absent: printing.
"""

from __future__ import annotations

import time
from typing import Callable, Optional

from protectorclient.exceptions import NoAnswer, ProtectorError, Refused, Unfinished
from protectorclient.v1 import Client
from protectorclient.v1.operations import ENDED

#: Pause between two looks, and how long somebody waits unless a command says otherwise, seconds.
POLL_S = 1.0
WAIT_LIMIT_S = 6 * 3600.0
#: Looks without an answer, one after the other, after which waiting is given up. The operation goes on.
SILENT_LOOKS_MAX = 30

Listener = Callable[[dict, list], None]


def wait(
    site: Client,
    operation: str,
    listener: Optional[Listener] = None,
    limit_s: float = WAIT_LIMIT_S,
    pause: Callable[[float], None] = time.sleep,
    now_s: Callable[[], float] = time.monotonic,
) -> dict:
    """The ended operation. `listener` gets it and the new events after every look.

    Errors: `Unfinished` when the time is up, somebody interrupts, or the site is silent for too long.
    """
    until, seen, silent = now_s() + limit_s, 0, 0
    last: Optional[ProtectorError] = None
    try:
        while now_s() < until and silent <= SILENT_LOOKS_MAX:
            try:
                shown = site.operations.show(operation)
                events = site.operations.events(operation, seen)
                silent = 0
            except (NoAnswer, Refused) as error:
                if isinstance(error, Refused) and error.status < 500:
                    raise
                last, silent = error, silent + 1
                pause(POLL_S)
                continue
            seen = max([seen, *(event["seq"] for event in events)])
            if listener:
                listener(shown, events)
            if shown["status"] in ENDED:
                return shown
            pause(POLL_S)
    except KeyboardInterrupt:
        last = None
    raise Unfinished(
        f"Operation {operation} goes on at {site.cloud}.",
        last,
        f"openstack --os-cloud {site.cloud} protector operation show {operation}",
    )
