"""Where labs live: user namespaces, PID 1, the root, nodes and their processes."""
