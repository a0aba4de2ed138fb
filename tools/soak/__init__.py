"""Long runs that look for what happens once in a thousand times."""
