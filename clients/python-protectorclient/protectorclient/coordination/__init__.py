"""The courier: everything that needs both sites, once, for the command line and the dashboard alike.

`pair` holds the two clients, `force` brings both into step, `changes` and `moves` are the errands, `watch`
waits for an operation, `status` compares, `pairing` introduces two sites to each other. Every errand either
is done, or says what is not and which command finishes it. Absent: trust (a site believes signatures, not
couriers), printing, and argument parsing.
"""

from protectorclient.coordination.changes import change
from protectorclient.coordination.force import Synced, sync_force
from protectorclient.coordination.moves import Move, finish_move, planned_move, plan_of_move, unplanned_move
from protectorclient.coordination.pair import Pair
from protectorclient.coordination.status import Status, sync_status

__all__ = [
    "Move",
    "Pair",
    "Status",
    "Synced",
    "change",
    "finish_move",
    "plan_of_move",
    "planned_move",
    "sync_force",
    "sync_status",
    "unplanned_move",
]
