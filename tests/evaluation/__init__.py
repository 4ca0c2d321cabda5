"""Measures code completion: digs holes in real code, has `phial serve` fill them, and runs the code's own examples."""
