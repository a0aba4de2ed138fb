"""Text to model and back: scenarios in YAML, Mininet topologies, the catalogue, the JSON Schema."""
