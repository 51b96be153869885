"""The serving harness: everything about gRPC that the services share."""
