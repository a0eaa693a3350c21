"""What the OpenAPI document promises, tried by schemathesis at two sites: cases drawn from the document, sent with
the tokens of several people, and every answer held against it.

Seeds are fixed. `PROTECTOR_CONTRACT_SEED=7 PROTECTOR_CONTRACT_EXAMPLES=200` tries others, and more of them.
Absent: what the right answer would be; only its form, and whether it may change anything.
"""

from __future__ import annotations

import os
import random
import zlib
from dataclasses import dataclass, field
from typing import Callable, Iterator, Optional

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from tests.groups import add_member, make_group, until_movable
from tests.lab import Lab

SEED = int(os.environ.get("PROTECTOR_CONTRACT_SEED", "1"))
#: Cases of one operation in one mode.
EXAMPLES = int(os.environ.get("PROTECTOR_CONTRACT_EXAMPLES", "16"))
#: How long one answer may take, seconds: what the API allows itself, and a little.
ANSWER_LIMIT_S = 35
#: Most complaints that are shown.
SHOWN_MAX = 12
#: Answers without an end.
STREAMS = {"ActorStream"}
#: What administrators tear down comes last.
LAST = {"SiteDelete", "ArrayDelete", "TenantMappingDelete", "GroupDelete", "SitePair", "SiteCredentialSet", "SiteUpdate"}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
SITES = ("site-a", "site-b")
GROUP = "fuzzed"
NOBODY = "nobody"


def closed(document: dict) -> dict:
    """The document, with objects that have no other fields than those described. The token is ours to choose."""
    for schema in document["components"]["schemas"].values():
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
    for methods in document["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
    return document


@dataclass
class Site:
    """One API, and who may ask there."""

    url: str
    auth_url: str
    project: str
    other_project: str
    tokens: dict = field(default_factory=dict)


class World:
    """Both sites, one protected group, two projects, and people of three roles."""

    def __init__(self, home):
        self.lab = Lab(home, 4)
        self.sites = {name: self._people(name) for name in SITES}
        pair = self.lab.pair(home / "courier")
        self.group = make_group(pair, GROUP, "web-1")
        add_member(pair, self.group, "web-2")
        until_movable(pair, self.group)
        self.pair = pair
        self.messages: dict = {}
        self.session = requests.Session()
        self.schemas = {name: self.schema_of(name) for name in SITES}

    def _people(self, name: str) -> Site:
        told = self.lab.told["sites"][name]
        url = told["auth_url"]
        password = self.lab.told["password"]

        def token(user: str, project: Optional[str]) -> str:
            home = "Default"
            scope = {"project_name": project, "project_domain_name": home} if project else {}
            plugin = v3.Password(url, username=user, password=password, user_domain_name=home, **scope)
            return plugin.get_token(Session())

        head = {"X-Auth-Token": token("admin", "admin")}

        def make(kind: str, **what: str) -> str:
            made = requests.post(f"{url}/{kind}s", json={kind: what}, headers=head, timeout=ANSWER_LIMIT_S)
            assert made.status_code == 201, made.text
            return made.json()[kind]["id"]

        def grant(project: str, user: str, role: str) -> None:
            roles = requests.get(f"{url}/roles", params={"name": role}, headers=head, timeout=ANSWER_LIMIT_S)
            place = f"{url}/projects/{project}/users/{user}/roles/{roles.json()['roles'][0]['id']}"
            assert requests.put(place, headers=head, timeout=ANSWER_LIMIT_S).status_code == 204

        site = Site(told["api_url"], url, told["project_id"], make("project", name="other"))
        grant(site.project, make("user", name="reader", password=password), "reader")
        for role in ("member", "reader"):
            grant(site.other_project, make("user", name=f"other-{role}", password=password), role)
        site.tokens = {
            "admin": token("admin", "admin"),
            "member": token("demo", "demo"),
            "reader": token("reader", "demo"),
            "other-member": token("other-member", "other"),
            "other-reader": token("other-reader", "other"),
            NOBODY: None,
            "liar": "gAAAA-no-such-token",
        }
        return site

    def take_messages(self) -> None:
        """Signed messages that are in force for a while: what a thief would carry."""
        pair, vm = self.pair, self.lab.told["sites"]["site-a"]["servers"][2]
        ticket = pair.local.groups.draft_member_add(self.group, vm)["ticket"]
        reservation = pair.peer.sync.bring("reservations", {"ticket": ticket})["reservation"]
        envelope = pair.local.sync.show(self.group)["envelope"]
        self.messages = {"ticket": ticket, "reservation": reservation, "envelope": envelope}

    def schema_of(self, name: str, change: Callable[[dict], dict] = closed):
        site = self.sites[name]
        document = self.ask(site, "GET", "/v1/openapi.json").json()
        schema = schemathesis.openapi.from_dict(change(document))
        schema.config.update(base_url=site.url)
        return schema

    def ask(self, site: Site, method: str, path: str, role: str = "admin", **more) -> requests.Response:
        headers = {**more.pop("headers", {})}
        if site.tokens[role]:
            headers["X-Auth-Token"] = site.tokens[role]
        return requests.request(method, site.url + path, headers=headers, timeout=ANSWER_LIMIT_S, **more)

    def listing(self) -> dict:
        """Everything of both sites that a request could change, as administrators see it."""
        return {name: dict(self._listing(site)) for name, site in self.sites.items()}

    def _listing(self, site: Site) -> Iterator[tuple]:
        def told(path: str) -> object:
            answer = self.ask(site, "GET", path)
            assert answer.status_code == 200, f"{path}: {answer.text}"
            return _without(answer.json(), "checked_at")

        for path in ("sites", "arrays", "tenant-mappings", "pair"):
            yield path, told(f"/v1/admin/{path}")
        for project in (site.project, site.other_project):
            groups = told(f"/v1/{project}/protection-groups")
            yield f"groups of {project}", groups
            yield f"operations of {project}", told(f"/v1/{project}/operations")
            for group in groups["protection_groups"]:
                for part in ("members", "policy", "mappings"):
                    path = f"/v1/{project}/protection-groups/{group['id']}/{part}"
                    yield path, told(path)

    def stop(self) -> None:
        self.lab.stop()


def _without(value: object, key: str) -> object:
    if isinstance(value, dict):
        return {name: _without(inner, key) for name, inner in value.items() if name != key}
    return [_without(inner, key) for inner in value] if isinstance(value, list) else value


class Known:
    """Words that mean something here, so that drawn cases get further than the first look."""

    def __init__(self, world: World, name: str, chance: random.Random):
        self.world, self.site, self.chance = world, world.sites[name], chance
        told = world.lab.told["sites"]
        listed = world.ask(self.site, "GET", f"/v1/{self.site.project}/operations").json()["operations"]
        self.words = {
            "tenant": [self.site.project] * 4 + [self.site.other_project],
            "group": [world.group, GROUP],
            "operation": [operation["id"] for operation in listed],
            "site": ["site-b" if name == "site-a" else "site-a"],
            "array": ["array-a", "array-b"],
            "instance_id": told["site-a"]["servers"],
            "secondary_site": ["site-b", "site-a"],
            "remote_site": ["site-b", "site-a"],
            "volume_type": ["replicated-ssd", "replicated-sync", "standard"],
            "replication_type": ["async", "sync"],
            "primary_array": ["array-a"],
            "secondary_array": ["array-b"],
            "auth_url": [self.site.auth_url],
            "local_project": [self.site.project],
            "type": ["planned", "unplanned", "primary", "secondary", "password"],
            **{kind: [message] for kind, message in world.messages.items()},
        }

    def word(self, name: str, drawn: object) -> object:
        known = self.words.get(name)
        return self.chance.choice(known) if known and self.chance.random() < 0.8 else drawn

    def into(self, body: object) -> object:
        if isinstance(body, dict):
            return {key: self.word(key, self.into(inner)) for key, inner in body.items()}
        return body

    def places(self, names: list) -> dict:
        """Parts of a path; those that have no word are drawn."""
        return {name: self.chance.choice(self.words[name]) for name in names if self.words.get(name)}


def judge(case, response) -> Optional[str]:
    """What is wrong with an answer, or nothing."""
    try:
        case.validate_response(response, checks=CHECKS)
    except (AssertionError, FailureGroup) as error:
        return str(error)
    return None


def is_http(case) -> bool:
    """False: a header could not be sent by anybody, and the HTTP library answers before the API does."""
    return all(str(value).isprintable() for value in case.headers.values())


def operations(schema) -> list:
    """All of a document but the streams, those that tear down last."""
    found = [found.ok() for found in schema.get_all_operations()]
    kept = [one for one in found if one.definition.raw["operationId"] not in STREAMS]
    return sorted(kept, key=lambda one: one.definition.raw["operationId"] in LAST)


def complaints(world: World, roles: list, examples: int = EXAMPLES) -> tuple:
    """Sends cases of every operation with the tokens of `roles`. Returns what was wrong, and how often each status came."""
    wrong: dict = {}
    statuses: dict = {}
    world.take_messages()
    for at, name in enumerate(SITES):
        for operation in operations(world.schemas[name]):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                label = f"{name} {operation.label} {mode.value}"
                # The follower gets half of it.
                _try(world, name, operation, mode, (roles, max(1, examples >> at), label), (wrong, statuses))
    return list(wrong.values()), statuses


def _try(world: World, name: str, operation, mode: GenerationMode, how: tuple, told: tuple) -> None:
    roles, examples, label = how
    wrong, statuses = told
    chosen = zlib.crc32(label.encode()) ^ SEED
    chance = random.Random(chosen)
    known = Known(world, name, chance)
    fixed = known.places([one["name"] for one in operation.definition.raw["parameters"] if one["in"] == "path"])

    @seed(chosen)
    @settings(max_examples=examples, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=fixed), role=st.sampled_from(roles))
    def one(case, role):
        assume(is_http(case))
        if mode == GenerationMode.POSITIVE:
            case.body = known.into(case.body)
            case.path_parameters = {key: known.word(key, value) for key, value in case.path_parameters.items()}
        token = world.sites[name].tokens[role]
        headers = {"X-Auth-Token": token} if token else {}
        response = case.call(base_url=world.sites[name].url, headers=headers, session=world.session, timeout=ANSWER_LIMIT_S)
        statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
        found = judge(case, response)
        if found and len(wrong) < SHOWN_MAX:
            wrong.setdefault(label, f"{label} as {role}, seed {SEED}:\n{found}")

    try:
        one()
    except Unsatisfiable:
        assert mode == GenerationMode.NEGATIVE, label
