"""What the server can do, one feature per file: two pure halves around the one wait."""
