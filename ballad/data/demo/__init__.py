"""The embedded demo set: synthetic pictures of 60 classes with a long tail."""
