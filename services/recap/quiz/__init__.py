"""The quiz "In the mood": a few good questions, then the right titles."""
