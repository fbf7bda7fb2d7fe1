"""Who belongs to whom, by program: links between customers, and what households and organisations bring together."""
