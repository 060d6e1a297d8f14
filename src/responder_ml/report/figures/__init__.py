"""The report's figures, one per file: plain arrays in, an inline SVG out."""
