"""One scenario to events; many scenarios over the matrix, in parallel."""
