"""The services of the suite, one package each; they meet over gRPC only."""
