"""What pages read from the store and from finished runs, each thing once."""
