"""The customers list and the customer page: fields, filters, lists paged by key, export, one page per customer."""
