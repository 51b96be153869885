"""A streaming service with known truth: catalogue, viewers and weeks of events from one seed."""
