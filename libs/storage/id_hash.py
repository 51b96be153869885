"""What is kept of the id of a compacted event: that it was there, and nothing else of it."""

import hashlib


def id_hash(event_id: str) -> int:
    """64 bits, with a sign; of a billion events one in ten billion shares them with another."""
    digest = hashlib.blake2b(event_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
