"""What pages know of each setting of an experiment: its name, what it does, and how it is asked for."""
