"""Analysis of clips: quality, difficulty, similarity and the report on a library."""
