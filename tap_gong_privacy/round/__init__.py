"""A round: the list of addresses, what has been asked of it, and one run that goes on with it."""
