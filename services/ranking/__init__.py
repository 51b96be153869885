"""Ranking: what a viewer sees next, and why."""
