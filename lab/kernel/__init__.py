"""Linux, typed: namespaces, mounts, netlink, packet sockets. Knows nothing of labs."""
