"""A file that needs what is not there."""

import networkx_of_nowhere

print(networkx_of_nowhere)
