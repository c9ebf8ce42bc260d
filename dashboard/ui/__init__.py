"""What every page is built from: charts, messages, galleries, downloads."""
