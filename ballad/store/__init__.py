"""The record of all runs in SQLite: what they should do, where they stand, what they measured."""
