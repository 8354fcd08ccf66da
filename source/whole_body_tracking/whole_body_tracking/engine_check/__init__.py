"""Whether an engine that was never tried does what a tried one did: a few seconds, compared with a record."""
