"""`openstack protector` and `openstack dr`: arguments in, rows out.

Absent: HTTP (`protectorclient.v1`) and anything about two sites (`protectorclient.coordination`).
"""
