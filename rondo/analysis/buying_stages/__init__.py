"""Where customers stand in buying, category by category, worked out after each analysis."""
