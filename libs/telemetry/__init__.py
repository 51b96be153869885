"""Logs and metrics; nothing here knows gRPC."""
