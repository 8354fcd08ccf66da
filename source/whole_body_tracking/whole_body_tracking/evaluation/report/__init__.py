"""Files that an evaluation writes: tables, pages, plots and what was played."""
