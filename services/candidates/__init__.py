"""The catalogue, and the few hundred titles of it worth ranking."""
