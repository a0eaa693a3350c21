"""Nova's own nova-compute, which finds the lab's hypervisor where it looks: in nova.virt.

Absent: writing into Nova's package.
"""

import sys

from nova.cmd import compute  # first: it prepares the process

from protector_lab import virt

sys.modules["nova.virt.protector_lab"] = virt

if __name__ == "__main__":
    sys.exit(compute.main())
