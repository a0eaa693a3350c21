"""Router plugin for a cloud with no L3 agent: a floating IP is ACTIVE while it has a port.

Absent: routing. The plugin in Neutron's tree would leave floating IPs DOWN for ever.
"""

from neutron.services.l3_router import l3_router_plugin
from neutron_lib import constants


class LabL3Plugin(l3_router_plugin.L3RouterPlugin):
    def _report(self, context, floating):
        has_port = floating.get("port_id")
        active, down = (
            constants.FLOATINGIP_STATUS_ACTIVE,
            constants.FLOATINGIP_STATUS_DOWN,
        )
        status = active if has_port else down
        if floating.get("status") != status:
            self.update_floatingip_status(context.elevated(), floating["id"], status)
            floating["status"] = status
        return floating

    def create_floatingip(self, context, floatingip):
        return self._report(context, super().create_floatingip(context, floatingip))

    def update_floatingip(self, context, id, floatingip):
        return self._report(context, super().update_floatingip(context, id, floatingip))
