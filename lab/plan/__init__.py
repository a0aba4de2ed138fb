"""Topology to ordered kernel operations, as data; rendered as netlink bytes or a shell script."""
