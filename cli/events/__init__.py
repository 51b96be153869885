"""`reprise events`: look at what is recorded, and take it elsewhere."""
