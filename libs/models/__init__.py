"""What training writes and services load: retrieval and the ranker."""
