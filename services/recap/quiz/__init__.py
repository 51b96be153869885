"""The mood quiz: whether to offer it, what to ask, and what to watch after it."""
