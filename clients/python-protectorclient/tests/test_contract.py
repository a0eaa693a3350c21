"""The API keeps what its OpenAPI document says, whoever asks, and those who may change nothing change nothing."""

from __future__ import annotations

import pytest
import requests

from protectorclient.coordination import change
from tests.contract import NOBODY, SITES, World, complaints, judge, operations

#: Whose requests may have no effect.
HARMLESS = ["reader", "other-member", "other-reader", NOBODY, "liar"]
#: Above the limit of every body, bytes.
HUGE = 4 << 20


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("contract"))
    yield world
    world.stop()


def test_who_may_change_nothing_changes_nothing(world):
    before = world.listing()
    wrong, statuses = complaints(world, HARMLESS)
    assert not wrong, "\n\n".join(wrong)
    assert {200, 400, 401, 403, 404} <= set(statuses), statuses
    assert world.listing() == before
    # Else the same comparison shows nothing when it is equal.
    change(world.pair, world.group, lambda at: at.groups.draft_update(world.group, {"description": "changed"}))
    assert world.listing() != before


def test_bodies_that_are_too_much_are_refused(world):
    site = world.sites["site-a"]
    place = {"tenant": site.project, "group": world.group, "site": "site-b", "array": "array-b", "operation": "0" * 32, "mapping": "0" * 32}
    for operation in operations(world.schemas["site-a"]):
        if operation.method.upper() not in ("POST", "PUT", "PATCH") or "requestBody" not in operation.definition.raw:
            continue
        path = operation.path.format(**place)
        for body, status in ((b'{"x": "' + b"x" * HUGE + b'"}', 413), (b"[" * 100_000, 400), (b"\xff\xfe", 400), (b'{"x": 1, "x": 2}', 400)):
            answer = world.ask(site, operation.method, path, data=body, headers={"Content-Type": "application/json"})
            told = f"{operation.label}: {answer.status_code} {answer.text[:200]}"
            assert answer.status_code == status, told
            assert answer.json()["error"]["code"] == {413: "body_too_large", 400: "bad_request"}[status], told


def test_what_members_and_administrators_send_is_answered_as_documented(world):
    wrong, statuses = complaints(world, ["member", "member", "admin"])
    assert not wrong, "\n\n".join(wrong)
    assert {200, 202, 400, 404, 409} <= set(statuses), statuses


@pytest.mark.parametrize("planted", ["nothing", "500", "status", "media", "field", "schema"])
def test_an_answer_that_breaks_the_document_is_seen(world, planted):
    def change(document: dict) -> dict:
        if planted == "schema":
            document["components"]["schemas"]["GroupsAnswer"]["required"] = ["no_such_field"]
        if planted == "field":
            answer = document["components"]["schemas"]["GroupsAnswer"]
            answer["additionalProperties"] = False
            del answer["properties"]["protection_groups"]
            answer["required"] = []
        return document

    schema = world.schema_of("site-a", change)
    site = world.sites["site-a"]
    operation = schema["/v1/{tenant}/protection-groups"]["GET"]
    case = operation.Case(path_parameters={"tenant": site.project})
    answer: requests.Response = case.call(base_url=site.url, headers={"X-Auth-Token": site.tokens["reader"]})
    if planted == "500":
        answer.status_code = 500
    if planted == "status":
        answer.status_code = 418
    if planted == "media":
        answer.headers["content-type"] = ["text/html"]
    assert bool(judge(case, answer)) == (planted != "nothing"), planted


def test_both_sites_show_the_same_document(world):
    told = [world.ask(world.sites[name], "GET", "/v1/openapi.json", role="reader").json() for name in SITES]
    assert told[0] == told[1]
