"""Offline training: read the log, fit, evaluate, publish."""
