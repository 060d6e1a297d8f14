"""What a command leaves on disk: runs, studies and their tables, written whole or not at all."""
