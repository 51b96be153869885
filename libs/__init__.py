"""Shared libraries of the suite."""
