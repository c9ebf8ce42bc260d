"""What pages know about each setting of an experiment: its name, what it does, and its kind of entry."""
