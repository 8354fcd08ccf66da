"""Joint targets that reproduce a clip on the physics: a reference's own positions do not, its drives are soft."""
