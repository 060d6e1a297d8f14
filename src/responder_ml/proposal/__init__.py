"""A job proposed from an expression file and a sample sheet: what is found in them, what has to be asked, and why."""
