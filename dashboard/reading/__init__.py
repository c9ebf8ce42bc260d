"""What pages read of the store and of finished runs, each thing once."""
