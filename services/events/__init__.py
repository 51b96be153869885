"""The events service: the durable log of what viewers do, and the features made of it."""
