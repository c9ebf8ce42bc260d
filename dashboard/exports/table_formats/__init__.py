"""The formats of tables: every module that names a TableFormat adds it to all pages and packs."""
