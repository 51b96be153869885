"""Your year: the facts of a profile's own history, counted twice before anybody sees them."""
