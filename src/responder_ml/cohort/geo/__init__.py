"""Series of the Gene Expression Omnibus as cohort files: addresses, downloads, recipes."""
