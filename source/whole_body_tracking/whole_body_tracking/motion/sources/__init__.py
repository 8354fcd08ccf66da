"""Where clips come from: paths, manifests and the W&B registry."""
