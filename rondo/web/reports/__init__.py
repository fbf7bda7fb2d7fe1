"""Pages as typeset reports: a page is opened for a person, read, and set as A4; for now, or by mail on a schedule."""
