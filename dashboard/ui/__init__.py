"""What every page shows with: charts, messages, galleries, downloads."""
