"""Bundles: versioned folders of model files, published atomically and verified before use."""
