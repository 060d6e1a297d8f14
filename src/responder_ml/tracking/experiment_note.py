"""What a newcomer reads above the table of runs."""

EXPERIMENT_NOTE = """\
A row named like a job is the whole procedure (candidate "auto": the choice between candidates is made inside the
folds). The rows below it are its candidates, builder+classifier.

- **auroc, auroc_low, auroc_high**: out-of-fold AUROC and its 95 % interval over subjects; 0.5 is guessing.
- **p_value**: how often the same procedure does as well on relabelled subjects. **null_mean** is its average there.
- **verdict**: evidence, no_evidence, confounded or underpowered, by a fixed rule.
- **gain_over_best_baseline**: AUROC beyond the best of batch, drug, depth, random signatures.
- **folds/auroc**: one point for each outer fold. **search/...**: the tuning, averaged over outer folds.
- **simulated**: rows that say yes are about no real animal.
"""
