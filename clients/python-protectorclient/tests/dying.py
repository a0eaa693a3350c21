"""A courier that is killed at one of its messages, or hears nothing of one. Lives in the tests: the product has no such switch.

A *message* is a request that can change something: everything but GET.
"""

from __future__ import annotations

import os
import signal
from typing import Callable

from protectorclient.exceptions import NoAnswer
from protectorclient.v1.transport import Transport


def die_at(message: int, moment: str) -> Callable[[], None]:
    """A hook for `User.run`: SIGKILL right `before` message N is sent, or right `after` its answer came."""

    def plan() -> None:
        send, count = Transport._send, [0]

        def counting(self, method, *rest):
            if method == "GET":
                return send(self, method, *rest)
            count[0] += 1
            if count[0] == message and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            answer = send(self, method, *rest)
            if count[0] == message and moment == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        Transport._send = counting

    return plan


def lose_answer_of(message: int) -> Callable[[], None]:
    """A hook: message N arrives, and what the site answers does not."""

    def plan() -> None:
        send, count = Transport._send, [0]

        def losing(self, method, *rest):
            answer = send(self, method, *rest)
            count[0] += method != "GET"
            if method != "GET" and count[0] == message:
                raise NoAnswer(self.cloud, "the answer got lost")
            return answer

        Transport._send = losing

    return plan


def count_messages(path: str) -> Callable[[], None]:
    """A hook that writes each message's path to a file, so that a test knows how many there are."""

    def plan() -> None:
        send = Transport._send

        def noting(self, method, url, *rest):
            if method != "GET":
                with open(path, "a", encoding="utf-8") as file:
                    file.write(f"{self.cloud} {url.split('/v1/', 1)[1].split('/', 1)[1]}\n")
            return send(self, method, url, *rest)

        Transport._send = noting

    return plan
