"""Views of the shell: thin; they parse, call and render."""
