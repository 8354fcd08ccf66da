"""Sources of clips: paths, manifests and the W&B registry."""
