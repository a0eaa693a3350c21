"""Protector's client: a library for both sites' APIs, the courier between them, and `openstack protector`.

Owns nothing but this sentence. `v1` speaks to one site, `coordination` carries messages between two,
`osc` is the command line. Absent: trust. A site believes no courier, so nothing here guards a secret of
the service.
"""
