"""What the words mean: topology, scenario, plan, event and error as frozen, typed data. No I/O."""
