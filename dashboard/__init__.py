"""What the user sees: the app shell, its figures, its exports, and the parts that pages share."""
