"""One customer, once: likely duplicates, what people decide about them, and the check when a customer is made."""
