"""The scenarios of this folder are wrong on purpose: nobody but its test reads them."""

collect_ignore_glob = ["*.lab.yaml", "topologies/*"]
