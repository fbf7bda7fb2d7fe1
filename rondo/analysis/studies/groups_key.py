"""What rules call the group of a customer."""

SERIES = "group"
