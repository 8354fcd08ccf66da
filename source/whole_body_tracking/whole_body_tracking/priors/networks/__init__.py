"""Networks that map a sequence of states to what comes next."""
