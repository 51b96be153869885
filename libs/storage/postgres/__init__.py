"""The event log past one machine: PostgreSQL, written by several replicas at once."""
