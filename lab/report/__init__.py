"""What a run told, for people and for machines: readers of its stream of events."""
