"""Evaluate the founding study's claims in one region: every statistic beside its relabelling null and a subject bootstrap.

All statistics that share a null are computed from the same relabelled contrasts, in blocks.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from responder_ml.contrasts.bootstrap import recentred_interval, redraw_subjects
from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.claim_statistics import CONTROL, RESILIENT, SUSCEPTIBLE
from responder_ml.contrasts.comparisons import FOUNDING_CUTOFFS_UNVERIFIED, Comparisons, Cutoffs
from responder_ml.contrasts.contrast import Groups
from responder_ml.contrasts.founding_claims import FEWEST, Row, build_rows
from responder_ml.contrasts.group_fits import blocks, fit_groups, is_estimable, resample_groups
from responder_ml.contrasts.relabelling import RelabellingTest, relabel_groups, summarise_relabellings
from responder_ml.exceptions import ContrastError
from responder_ml.statistics.seeds import generator

Floats = NDArray[np.float64]

ALPHA = 0.05
FEWEST_GENES = 10


def evaluate_claims(
    expression: Floats,
    groups: Groups,
    region: str = "",
    *,
    seed: int,
    relabellings: int = 2000,
    cutoffs: Cutoffs = FOUNDING_CUTOFFS_UNVERIFIED,
    bootstrap: int = 500,
    subjects: Sequence[str] | None = None,
    covariates: Floats | None = None,
    strata: NDArray[np.integer] | None = None,
) -> list[ClaimResult]:
    """Return the table of claims R2 to R7 for one region.

    Parameters
    ----------
    expression
        Subjects x genes of one region, log2 CPM or another log2 scale; genes that never vary are left out.
    groups
        As `founding_groups` returns, one row per subject.
    region
        Its name, for the results.
    seed
        The run's seed.
    relabellings
        Relabellings to enumerate at most; where there are more, as many random ones.
    cutoffs
        When a gene counts as changed.
    bootstrap
        Subject bootstrap draws; 0 for no intervals.
    subjects
        Names of the subjects, so that the bootstrap redraws alike in all regions.
    covariates
        Subjects x covariates in every linear model, such as indicators of batch. Relabellings whose groups could not be told apart
        from them are left out; the null is then approximate.
    strata
        Code per subject; relabelling stays within strata.

    Raises
    ------
    ContrastError
        Groups the claims cannot be asked of, or expression that is not finite or has too few genes that vary.
    """
    names = [str(index) for index in range(groups.codes.size)] if subjects is None else list(subjects)
    kept = np.flatnonzero([code >= 0 and groups.size(groups.names[code]) >= FEWEST for code in groups.codes])
    rows = build_rows(groups)
    groups = Groups.of([groups.names[groups.codes[place]] for place in kept])
    values = _varying(expression[kept])
    task = _Task(
        values, groups, cutoffs,
        None if covariates is None else covariates[kept],
        None if strata is None else np.asarray(strata)[kept],
    )  # fmt: skip
    observed = task.comparisons(groups.codes[None])
    tests = task.run_nulls(rows, seed, relabellings)
    draws = task.run_bootstrap(rows, redraw_subjects(groups, [names[place] for place in kept], bootstrap, seed))
    return [
        _result(row, region, groups, observed, test, place, column)
        for row, (test, place), column in zip(rows, tests, draws, strict=True)
    ]


class _Task:
    """The data of one region, fitted under any labelling."""

    def __init__(
        self,
        expression: Floats,
        groups: Groups,
        cutoffs: Cutoffs,
        covariates: Floats | None,
        strata: NDArray[np.integer] | None,
    ) -> None:
        self.expression, self.groups, self.cutoffs = expression, groups, cutoffs
        self.covariates, self.strata = covariates, strata

    def comparisons(self, codes: NDArray[np.intp]) -> Comparisons:
        fits = fit_groups(self.expression, codes, len(self.groups.names), self.covariates)
        return Comparisons(fits, self.groups.names, self.cutoffs)

    def run_nulls(self, rows: list[Row], seed: int, limit: int) -> list[tuple[RelabellingTest, int]]:
        """Return, for each row, the test of all rows with the same null and the row's place in it."""
        plans: dict[tuple[tuple[str, ...], ...], list[int]] = {}
        for index, row in enumerate(rows):
            plans.setdefault(row.exchange, []).append(index)
        tests: dict[int, tuple[RelabellingTest, int]] = {}
        for exchange, members in plans.items():
            test = self._run_null(exchange, [rows[index] for index in members], seed, limit)
            tests |= {index: (test, place) for place, index in enumerate(members)}
        return [tests[index] for index in range(len(rows))]

    def _run_null(
        self, exchange: tuple[tuple[str, ...], ...], rows: list[Row], seed: int, limit: int
    ) -> RelabellingTest:
        codes = [[self.groups.code(name) for name in names] for names in exchange]
        rng = generator(seed, "claims", *("\x1f".join(names) for names in exchange))
        relabelled = relabel_groups(self.groups.codes, codes, limit=limit, rng=rng, strata=self.strata)
        if self.covariates is not None:
            relabelled = relabelled.only(is_estimable(relabelled.codes, len(self.groups.names), self.covariates))
        values = np.empty((len(relabelled.codes), len(rows)))
        for block in self._blocks(len(values)):
            compared = self.comparisons(relabelled.codes[block])
            values[block] = np.stack([row.compute(compared) for row in rows], axis=1)
        return summarise_relabellings(values, relabelled)

    def run_bootstrap(self, rows: list[Row], drawn: Floats) -> list[Floats | None]:
        """Return the bootstrap values of each row."""
        if not len(drawn):
            return [None] * len(rows)
        values = np.empty((len(drawn), len(rows)))
        for block in self._blocks(len(drawn)):
            fits = resample_groups(
                self.expression, self.groups.codes, len(self.groups.names), drawn[block], self.covariates
            )
            compared = Comparisons(fits, self.groups.names, self.cutoffs)
            values[block] = np.stack([row.compute(compared) for row in rows], axis=1)
        return list(values.T)

    def _blocks(self, count: int) -> list[slice]:
        return list(blocks(count, len(self.groups.names), self.expression.shape[1]))


def _varying(expression: Floats) -> Floats:
    if not np.all(np.isfinite(expression)):
        raise ContrastError("Expression has values that are not finite. Claims need complete log2 expression.")
    varying = np.ptp(expression, axis=0) > 0
    if np.count_nonzero(varying) < FEWEST_GENES:
        raise ContrastError(
            f"{np.count_nonzero(varying)} gene(s) vary in this region; claims need at least {FEWEST_GENES}. Check `where`."
        )
    return np.ascontiguousarray(expression[:, varying])


def _result(
    row: Row,
    region: str,
    groups: Groups,
    observed: Comparisons,
    test: RelabellingTest,
    place: int,
    draws: Floats | None,
) -> ClaimResult:
    sizes = {name: groups.size(name) for name in groups.names}
    involved = dict.fromkeys([*row.groups(), *(name for name in (CONTROL, SUSCEPTIBLE, RESILIENT) if name in sizes)])
    value, smallest = float(test.observed[place]), float(test.smallest_p[place])
    genes = row.genes(observed)
    return ClaimResult(
        claim=row.statistic.claim,
        region=region,
        drug=row.drug,
        arm=row.arm,
        statistic=row.statistic.name,
        observed=value,
        expected_no_effect=float(test.expected[place]),
        null_sd=float(test.sd[place]),
        p_value=float(test.p_value[place]),
        exact=test.exact,
        labellings=test.labellings,
        smallest_p=smallest,
        interval=None if draws is None else _clipped(recentred_interval(draws, value), row.bounds()),
        design_value=row.design_value(sizes),
        hypothesis=row.hypothesis,
        n={name: sizes[name] for name in involved},
        genes=genes,
        note=_note(test, smallest, genes, sizes, row),
        draws=draws,
    )


def _clipped(interval: tuple[float, float], bounds: tuple[float, float]) -> tuple[float, float]:
    return max(interval[0], bounds[0]), min(interval[1], bounds[1])


def _note(test: RelabellingTest, smallest: float, genes: int | None, sizes: Mapping[str, int], row: Row) -> str:
    notes = []
    if smallest > ALPHA:
        notes.append(
            f"underpowered: of {test.labellings} relabellings none can reach p <= {ALPHA:g} (smallest attainable {smallest:.2g})"
        )
    if not test.exact:
        notes.append(f"random sample of {test.labellings} relabellings")
    if genes == 0:
        notes.append("no gene passes the cut-offs")
    small = [f"{name} n = {sizes[name]}" for name in row.groups() if sizes[name] < 3]
    return "; ".join([*notes, *small])
