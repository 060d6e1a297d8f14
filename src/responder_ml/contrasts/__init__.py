"""The founding study's claims: contrasts of groups, statistics of pairs of contrasts, and their nulls."""
