"""What a newcomer reads above the table of runs."""

# MLflow shows the first line until somebody unfolds the rest.
EXPERIMENT_NOTE = """\
**Views**, top right, shows the columns that matter. Open a job for its verdict; **Artifacts > report.html** tells it all.

A row named like a job is the whole procedure: the choice between candidates (builder+classifier) is made inside the
folds. Its candidates are rows of their own, below it. Pick none of them by hand: the best of several is too high by that
choice alone.

- **auroc, auroc_low, auroc_high**: out-of-fold AUROC and its 95 % interval over subjects; 0.5 is guessing.
- **p_value**: how often the same procedure does as well on relabelled subjects. **null_mean** is its average there.
- **verdict**: evidence, no_evidence, confounded, underpowered or not_tested, by a fixed rule.
- **gain_over_best_baseline**: AUROC beyond the best of what needs no expression of interest: batch, drug, depth,
  random signatures.
- **each_fold/auroc**: one point for each outer fold held out, so a table shows the last fold's;
  **each_fold/auroc_mean_so_far** ends at their mean.
- **search/...**: the tuning, by trial, averaged over outer folds.
- **simulated**: rows that say yes are about no real animal.
"""
