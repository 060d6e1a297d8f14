"""Series of the Gene Expression Omnibus (GEO) as cohort files: addresses, downloads, recipes."""
