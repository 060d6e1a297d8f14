"""What the founding study's claims are made of: contrasts of groups, statistics of pairs of contrasts, each with its null."""
