"""What belongs to a single page, in one folder per page."""
