"""What belongs to one page: a folder each."""
