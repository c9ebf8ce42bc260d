"""The paper's tables and figures: as experiments, and as published numbers."""
