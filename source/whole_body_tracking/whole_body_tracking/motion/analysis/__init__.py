"""What clips contain: quality, difficulty, similarity and the report over a library."""
