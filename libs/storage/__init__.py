"""One file per thing stored; each the adapter of a port that a service owns."""
