"""What people read on the terminal, one file per command."""
