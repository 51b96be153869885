"""`reprise load`: drive any method of any service and say how it bears it."""
