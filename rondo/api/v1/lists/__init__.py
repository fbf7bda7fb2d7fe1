"""Lists by program: rows, counts and files of a filtered list, and the views under which lists are kept."""
