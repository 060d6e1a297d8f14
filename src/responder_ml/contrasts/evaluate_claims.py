"""Evaluate the founding study's claims in one region: every statistic with its null and a subject bootstrap.

All statistics that share a null are computed from the same relabelled (or rotated) contrasts, in blocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.arrays import Floats
from responder_ml.contrasts.bootstrap import recentred_interval, redraw_subjects
from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.comparisons import FOUNDING_CUTOFFS_UNVERIFIED, Comparisons, Cutoffs
from responder_ml.contrasts.founding_claims import Exchange, Row, build_rows
from responder_ml.contrasts.group_fits import GroupFits, blocks, fit_designs, fit_groups, group_designs, resample_groups
from responder_ml.contrasts.groups import CONTROL, FEWEST, RESILIENT, SUSCEPTIBLE, Groups
from responder_ml.contrasts.relabelling import NullTest, compare_with_null, relabel_groups
from responder_ml.contrasts.rotation import rotate_designs
from responder_ml.errors import ContrastError
from responder_ml.statistics.seeds import generator

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
        Subjects x genes of one region, log2 CPM or another log2 scale, expressed genes only; genes that never vary are left out.
    groups
        As `founding_groups` returns, one row per subject.
    region
        Its name, for the results.
    seed
        The run's seed.
    relabellings
        Relabellings to enumerate at most; where there are more, as many random ones. Also the number of rotations.
    cutoffs
        When a gene counts as changed.
    bootstrap
        Subject bootstrap draws; 0 for no intervals.
    subjects
        Names of the subjects, so that the bootstrap redraws alike in all regions.
    covariates
        Subjects x covariates in every linear model, such as indicators of batch. The null is then one of rotated residuals, since
        relabelling would be wrong where covariates differ between groups. Rotation gives finer p-values and more power with groups
        of three than relabelling does, at the price of assuming normal errors.
    strata
        Code per subject; relabelling stays within strata.

    Raises
    ------
    ContrastError
        Groups for which the claims cannot be evaluated, expression that is not finite or has too few genes that vary, covariates
        that cannot be distinguished from the groups, or both covariates and strata.
    """
    if covariates is not None and strata is not None:
        raise ContrastError(
            "Relabelling stays within strata but cannot adjust for covariates; rotation adjusts for covariates but ignores strata. "
            "Give one of the two."
        )
    names = [str(index) for index in range(groups.codes.size)] if subjects is None else list(subjects)
    rows = build_rows(groups)
    members, groups = take_part(groups)
    task = _Task(
        varying_genes(expression[members]),
        groups,
        cutoffs,
        None if covariates is None else np.asarray(covariates, dtype=np.float64)[members],
        None if strata is None else np.asarray(strata)[members],
    )
    observed = task.compare(fit_groups(task.expression, groups.codes[None], len(groups.names), task.covariates))
    nulls = task.run_nulls(rows, seed, relabellings)
    draws = task.run_bootstrap(rows, redraw_subjects(groups, [names[index] for index in members], bootstrap, seed))
    return [
        _result(row, region, groups, observed, *null, values)
        for row, null, values in zip(rows, nulls, draws, strict=True)
    ]


@dataclass(frozen=True)
class _Null:
    """How a null was made, and the values of all rows that share it."""

    test: NullTest
    values: Floats
    kind: str
    exact: bool
    labellings: int


@dataclass(frozen=True)
class _Task:
    """The data of one region, to be fitted under any labelling."""

    expression: Floats
    groups: Groups
    cutoffs: Cutoffs
    covariates: Floats | None
    strata: NDArray[np.integer] | None

    def compare(self, fits: GroupFits) -> Comparisons:
        return Comparisons(fits, self.groups.names, self.cutoffs)

    def run_nulls(self, rows: list[Row], seed: int, limit: int) -> list[tuple[_Null, int]]:
        """Return, for each row, the null it shares with others and its column in it."""
        sharing: dict[Exchange, list[int]] = {}
        for index, row in enumerate(rows):
            sharing.setdefault(row.exchange, []).append(index)
        nulls: dict[int, tuple[_Null, int]] = {}
        for exchange, members in sharing.items():
            null = self._run_null(exchange, [rows[index] for index in members], seed, limit)
            nulls |= {index: (null, column) for column, index in enumerate(members)}
        return [nulls[index] for index in range(len(rows))]

    def _run_null(self, exchange: Exchange, rows: list[Row], seed: int, limit: int) -> _Null:
        codes = [[self.groups.code(name) for name in names] for names in exchange]
        rng = generator(seed, "claims", *("\x1f".join(names) for names in exchange))
        count = len(self.groups.names)
        if self.covariates is None:
            relabelled = relabel_groups(self.groups.codes, codes, limit=limit, rng=rng, strata=self.strata)
            values = self._values(rows, group_designs(relabelled.codes, count))
            return _Null(compare_with_null(values), values, "relabelling", relabelled.exact, relabelled.labellings)
        designs = rotate_designs(self.groups.codes, count, codes, count=limit, rng=rng, covariates=self.covariates)
        values = self._values(rows, designs)
        return _Null(compare_with_null(values), values, "rotation", False, 0)

    def _values(self, rows: list[Row], designs: Floats) -> Floats:
        values = np.empty((len(designs), len(rows)))
        count = len(self.groups.names)
        for block in self._blocks(len(designs)):
            used = np.ones(designs[block].shape[:2], dtype=np.bool_)
            compared = self.compare(fit_designs(self.expression, designs[block], count, used))
            values[block] = np.stack([row.compute(compared) for row in rows], axis=1)
        return values

    def run_bootstrap(self, rows: list[Row], drawn: Floats) -> list[Floats | None]:
        """Return the bootstrap values of each row."""
        if not len(drawn):
            return [None] * len(rows)
        values = np.empty((len(drawn), len(rows)))
        for block in self._blocks(len(drawn)):
            fits = resample_groups(
                self.expression, self.groups.codes, len(self.groups.names), drawn[block], self.covariates
            )
            compared = self.compare(fits)
            values[block] = np.stack([row.compute(compared) for row in rows], axis=1)
        return list(values.T)

    def _blocks(self, count: int) -> list[slice]:
        return list(blocks(count, len(self.groups.names), self.expression.shape[1]))


def take_part(groups: Groups) -> tuple[list[int], Groups]:
    """Return which subjects take part, those of groups of `FEWEST` or more, and their groups."""
    members = [
        index for index, code in enumerate(groups.codes) if code >= 0 and groups.size(groups.names[code]) >= FEWEST
    ]
    return members, Groups.of([groups.names[groups.codes[index]] for index in members])


def varying_genes(expression: Floats) -> Floats:
    """Return the genes that vary.

    Raises
    ------
    ContrastError
        Values are not finite, or fewer than `FEWEST_GENES` genes vary.
    """
    if not np.all(np.isfinite(expression)):
        raise ContrastError("Expression has values that are not finite. Claims need complete log2 expression.")
    varying = np.ptp(expression, axis=0) > 0
    if np.count_nonzero(varying) < FEWEST_GENES:
        raise ContrastError(
            f"{np.count_nonzero(varying)} gene(s) vary in this region; claims need at least {FEWEST_GENES}. Check `where`."
        )
    return np.ascontiguousarray(expression[:, varying], dtype=np.float64)


def _result(
    row: Row, region: str, groups: Groups, observed: Comparisons, null: _Null, column: int, draws: Floats | None
) -> ClaimResult:
    sizes = {name: groups.size(name) for name in groups.names}
    involved = dict.fromkeys([*row.groups(), *(name for name in (CONTROL, SUSCEPTIBLE, RESILIENT) if name in sizes)])
    value, smallest = float(null.test.observed[column]), float(null.test.smallest_p[column])
    genes = row.genes(observed)
    # With covariates in the model, group sizes alone no longer give the covariance of the contrasts.
    balanced = np.allclose(observed.fits.covariance[0], np.diag(np.diag(observed.fits.covariance[0])))
    return ClaimResult(
        claim=row.statistic.claim,
        region=region,
        drug=row.drug,
        arm=row.arm,
        statistic=row.statistic.name,
        observed=value,
        expected_no_effect=float(null.test.expected[column]),
        null_sd=float(null.test.sd[column]),
        p_value=float(null.test.p_value[column]),
        null=null.kind,
        exact=null.exact,
        labellings=null.labellings,
        smallest_p=smallest,
        interval=None if draws is None else _clipped(recentred_interval(draws, value), row.bounds()),
        design_value=row.design_value(sizes) if balanced else None,
        hypothesis=row.hypothesis,
        n={name: sizes[name] for name in involved},
        genes=genes,
        note=_note(null, smallest, genes, sizes, row),
        draws=draws,
        null_values=null.values[:, column],
    )


def _clipped(interval: tuple[float, float], bounds: tuple[float, float]) -> tuple[float, float]:
    return max(interval[0], bounds[0]), min(interval[1], bounds[1])


def _note(null: _Null, smallest: float, genes: int | None, sizes: Mapping[str, int], row: Row) -> str:
    notes = []
    if smallest > ALPHA:
        notes.append(f"underpowered: no p below {smallest:.2g} is attainable, so {ALPHA:g} is out of reach")
    if null.kind == "relabelling" and not null.exact:
        notes.append(f"random sample of {null.labellings} relabellings")
    if genes == 0:
        notes.append("no gene passes the cut-offs")
    notes += [f"{name} has {sizes[name]} subjects" for name in row.groups() if sizes[name] < 3]
    return "; ".join(notes)
