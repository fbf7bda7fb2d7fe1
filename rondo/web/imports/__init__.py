"""Pages of the import: bring a file in, say what its columns are, try it, import it, take it back."""
