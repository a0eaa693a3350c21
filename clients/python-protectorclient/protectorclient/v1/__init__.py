"""One site's API, version 1: a client per site, a manager per kind of object, plain dictionaries.

Absent: the other site; `protectorclient.coordination` knows both.
"""

from protectorclient.v1.client import Client

__all__ = ["Client"]
