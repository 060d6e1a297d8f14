"""Statistics on plain arrays, used by all other parts."""
