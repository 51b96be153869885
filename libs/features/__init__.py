"""One definition of every feature, for training and for serving."""
