"""Pages of customers: the list, and one page per customer."""
