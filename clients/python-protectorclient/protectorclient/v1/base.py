"""What managers share: the transport, and lists that come in pages.

Absent: any object of the API.
"""

from __future__ import annotations

from typing import Iterator, Optional
from urllib.parse import urlencode

from protectorclient.exceptions import ProtectorError
from protectorclient.v1.transport import Transport

#: Items asked for at a time, and pages read before a list is called endless.
PAGE_ITEMS = 500
PAGES_MAX = 200


class Manager:
    """Owner of the calls about one kind of object."""

    def __init__(self, transport: Transport):
        self._transport = transport

    def _pages(self, path: str, key: str, query: Optional[dict] = None, most: Optional[int] = None) -> list[dict]:
        """All items of a list, or the first `most` of them."""
        items: list[dict] = []
        for page in self._each_page(path, key, query or {}):
            items.extend(page)
            if most is not None and len(items) >= most:
                return items[:most]
        return items

    def _each_page(self, path: str, key: str, query: dict) -> Iterator[list[dict]]:
        asked = dict(query, limit=PAGE_ITEMS)
        for _ in range(PAGES_MAX):
            answer = self._transport.call("GET", f"{path}?{urlencode(asked)}")
            page = answer.get(key) or []
            yield page
            if not page or not answer.get(f"{key}_links"):
                return
            asked["marker"] = page[-1]["id"]
        raise ProtectorError(f"The list of {key} does not end after {PAGES_MAX} pages.")
