"""Talking to a cloud as one of its users, and waiting for what was asked of it.

Absent: what to ask (`seed`, `servers`, `smoke`).
"""

import time

import openstack
from places import PASSWORD, REGION, Refused

LOOK_EVERY_S = 0.2
WAIT_S = 180


def connect(cloud, user="admin", project=None):
    return openstack.connect(
        auth_url=cloud.auth_url,
        username=user,
        password=PASSWORD,
        project_name=project or {"protector": "service"}.get(user, user),
        user_domain_name="Default",
        project_domain_name="Default",
        region_name=REGION,
        interface="public",
        identity_api_version="3",
        app_name="protector-lab",
    )


def until(get, good, seconds=WAIT_S):
    """Asks until what `get` answers is `good`; an error state ends it at once."""
    end = time.monotonic() + seconds
    while True:
        thing = get()
        if good(thing):
            return thing
        status = str(getattr(thing, "status", None))
        if status.lower().startswith("error"):
            raise Refused(f"in error: {thing}")
        if time.monotonic() > end:
            raise Refused(f"after {seconds} s still {status}: {thing}")
        time.sleep(LOOK_EVERY_S)


def gone(find, seconds=WAIT_S):
    until(find, lambda thing: thing is None, seconds)


def has_status(status):
    return lambda thing: thing.status == status


def volume_request(conn, method, path, micro="3.8", **body):
    """One raw Block Storage request: status and answer."""
    answer = conn.block_storage.request(
        path,
        method,
        json=body or None,
        headers={"OpenStack-API-Version": f"volume {micro}"},
        raise_exc=False,
    )
    return answer.status_code, answer.json() if answer.content else {}
