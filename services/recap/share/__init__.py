"""Sharing: chosen cards of a recap, and nothing else, behind a token; and their images."""
