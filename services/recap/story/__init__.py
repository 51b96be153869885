"""The story of a series so far: what was watched of it, and nothing else."""
