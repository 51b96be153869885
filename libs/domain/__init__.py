"""The words of the suite as frozen values; nothing here does input or output."""
