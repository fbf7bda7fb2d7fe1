"""Pages of duplicates: the work list, and when pairs are merged by themselves."""
