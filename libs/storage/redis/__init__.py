"""Online features past one machine: Redis or Valkey, filled from the log by whoever follows it."""
