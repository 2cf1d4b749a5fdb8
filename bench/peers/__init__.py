"""The systems replaced, from their public registries, started natively. One module each."""
