"""The two sites of an errand: the one a command is authenticated at, and its peer, if it answers.

Owns the moment at which a missing peer is noticed: before anything is changed. Absent: errands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from protectorclient.coordination import carry
from protectorclient.coordination.heads import Head
from protectorclient.exceptions import NoAnswer, PeerRequired, ProtectorError, sync_force
from protectorclient.state import State
from protectorclient.v1 import Client

BLOCKED_CHANGE = "Cannot modify protection group - remote site unreachable."
BLOCKED_MOVE = "Cannot move protection group as planned - remote site unreachable."


@dataclass(frozen=True)
class Roles:
    """Who leads a group now, as both heads tell."""

    leader: Client
    follower: Client
    leading: Head
    following: Head


class Pair:
    """`local` is where the user is logged in. `peer` is none if no command ever named it."""

    def __init__(self, local: Client, peer: Optional[Client], state: State):
        self.local = local
        self._peer = peer
        self.state = state

    @property
    def peer(self) -> Client:
        """The other cloud. Errors: nobody named it; it is the same one."""
        if self._peer is None:
            raise ProtectorError(
                "The other site's cloud is not known.",
                reason="this needs both sites, and no command on this machine named the second one yet",
                action="name its entry of clouds.yaml once: --secondary-cloud <cloud>, or OS_SECONDARY_CLOUD",
                code="no_secondary_cloud",
            )
        return self._peer

    @property
    def peer_cloud(self) -> Optional[str]:
        """What the other cloud is called, if it is known."""
        return self._peer.cloud if self._peer else None

    def connect_peer(self) -> Client:
        """Logs in at the other cloud. Errors: `LoginFailed`, `NoAnswer`; the two are one site."""
        self.peer.connect()
        if self.peer.transport.endpoint() == self.local.transport.endpoint():
            raise ProtectorError(
                f"Clouds {self.local.cloud} and {self.peer.cloud} are one site.",
                reason="both catalogs name the same Protector",
                action="name the other site: --secondary-cloud <cloud>",
                code="same_site",
            )
        self.state.remember_pair(self.local.cloud, self.peer.cloud)
        return self.peer

    def require_both(self, what: str, action: str) -> None:
        """Both answer, or nothing is begun. Errors: `PeerRequired`, `LoginFailed`."""
        self.local.connect()
        try:
            self.connect_peer().sites.names()
        except NoAnswer as error:
            raise PeerRequired(what, error, action) from error

    def find(self, group: str) -> str:
        """The id of a group by name or id, also if only the other site has heard of it, or it is deleted."""
        return str(self.show(group)["id"])

    def show(self, group: str) -> dict:
        """The group as this site has it; as the other has it if this one does not know it.

        A deleted one has `id`, `name` and `deleted` only.
        """
        error: Optional[ProtectorError] = None
        for site in (self.local, self._peer):
            try:
                if site is not None:
                    shown = (site if site is self.local else self.connect_peer()).groups.show(group)
                    self.state.remember_group(group, str(shown["id"]))
                    return shown
            except ProtectorError as failed:
                if site is self.local and failed.code not in ("not_found", "group_deleted"):
                    raise
                error = error or failed
        return self._tombstone(group, error)

    def _tombstone(self, group: str, error: Optional[ProtectorError]) -> dict:
        """Sites answer for a deleted group by its id alone. Errors: `error` if there is none."""
        identity = self.state.group_id(group) or group
        sync = self.local.sync.show(identity)
        if sync and sync["head"].get("deleted"):
            return {"id": identity, "name": group, "deleted": True}
        raise error or ProtectorError(f"There is no protection group {group}.", code="not_found")

    def roles(self, group: str, what: str = BLOCKED_CHANGE, name: str = "<group>") -> Roles:
        """Who leads, from both heads (section 7). `group` is the id.

        Errors: `PeerRequired` with `what` if one of the sites does not answer; nothing was changed.
        """
        again = f"restore the link, then: {sync_force(name)}; then repeat the command"
        self.require_both(what, again)
        try:
            here, there = carry.see(self.local, group), carry.see(self.peer, group)
        except NoAnswer as error:
            raise PeerRequired(what, error, again) from error
        roles = _roles((self.local, here), (self.peer, there))
        if not here.deleted and not there.deleted:
            self.learn_names(roles.leader.groups.show(group), roles.leader is self.local)
        return roles

    def site_name(self, site_id: str) -> str:
        """What people call a site; its id until that is known."""
        return self.state.site_name(site_id) or site_id

    def learn_names(self, group: dict, local_leads: bool) -> None:
        """Groups name their sites by id; each site knows what the other is called."""
        leading = group.get("current_primary_site")
        if leading is None:
            return
        following = next(iter({group["primary_site"], group["secondary_site"]} - {leading}), None)
        known_by = (self.peer, self.local) if local_leads else (self.local, self.peer)
        for site_id, site in zip((leading, following), known_by):
            if site_id and self.state.site_name(site_id) is None:
                names = site.sites.names()
                if len(names) == 1:
                    self.state.remember_name(site_id, names[0]["name"])


def _roles(one: tuple[Client, Head], other: tuple[Client, Head]) -> Roles:
    """Who leads. If both or neither say so, the greater record knows better."""
    first, second = (one, other) if (one[1].leads, one[1].pair) >= (other[1].leads, other[1].pair) else (other, one)
    if first[1].leads and second[1].leads and second[1].pair > first[1].pair:
        first, second = second, first
    return Roles(first[0], second[0], first[1], second[1])
