"""Parts of the page Confusion."""
