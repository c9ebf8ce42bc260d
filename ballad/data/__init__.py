"""Long-tailed image sets: where they lie, how they are read, split, thinned out, decoded and checked."""
