"""What carries a result: contributions of genes to held-out decisions, and how stable they are."""
