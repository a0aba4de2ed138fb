"""How fast lab is and how much memory it takes, against the least that the kernel needs."""
