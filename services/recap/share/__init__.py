"""Sharing: chosen cards of a recap or quiz, and nothing else, behind a token; and their images."""
