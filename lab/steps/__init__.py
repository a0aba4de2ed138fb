"""What a scenario can do: one module per step."""
