"""Pages of segments: the list, one segment, the builder."""
