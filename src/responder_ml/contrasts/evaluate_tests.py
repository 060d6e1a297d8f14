"""Test the claims on the true changes of one region: an estimate with its interval, and a p that needs every part of the claim."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from responder_ml.arrays import Floats
from responder_ml.contrasts.claim_power import needed_size, power_of, signal_of
from responder_ml.contrasts.claim_result import ClaimResult, PartResult
from responder_ml.contrasts.claim_tests import ClaimTest, Exchange, Part, build_tests
from responder_ml.contrasts.evaluate_claims import take_part, varying_genes
from responder_ml.contrasts.group_fits import group_designs
from responder_ml.contrasts.groups import CONTROL, SUSCEPTIBLE, Groups
from responder_ml.contrasts.relabelling import compare_with_null, relabel_groups
from responder_ml.contrasts.rotation import rotate_designs
from responder_ml.contrasts.true_changes import (
    AnimalDesign,
    FormEstimates,
    TrueChanges,
    contrast,
    group_products,
    merged_gram,
    product,
    sizes_of,
)
from responder_ml.errors import ContrastError
from responder_ml.statistics.seeds import generator

ALPHA = 0.05


@dataclass(frozen=True)
class TestSettings:
    """How claims are tested.

    Attributes
    ----------
    seed, relabellings
        The run's seed, and relabellings (or rotations) at most.
    draws
        Draws of each estimate for ranking regions; 0 for none.
    strata
        Code per animal within which animals are relabelled, None for none.
    """

    __test__ = False

    seed: int
    relabellings: int = 2000
    draws: int = 0
    strata: NDArray[np.integer] | None = None


def evaluate_tests(
    expression: Floats,
    groups: Groups,
    region: str,
    subjects: Sequence[str],
    settings: TestSettings,
    covariates: Floats | None = None,
) -> list[ClaimResult]:
    """Return one line per claim and drug, and per claim for all drugs together.

    Parameters
    ----------
    expression
        Animals x genes of one region, log2.
    groups
        Group of each animal; groups of fewer than two take no part.
    region
        Its name.
    subjects
        Names of the animals, so that an animal is drawn alike in all its regions.
    settings
        How they are tested.
    covariates
        Animals x covariates held constant, None for none. Relabelling then gives way to rotation, unless there are strata.

    Raises
    ------
    ContrastError
        Control or susceptible animals are fewer than two, or expression is not finite or has too few genes that vary.
    """
    members, groups = take_part(groups)
    if not {CONTROL, SUSCEPTIBLE} <= set(groups.names):
        raise ContrastError(
            "Claims need two control and two susceptible animals or more. Groups of two or more are: "
            f"{', '.join(groups.names) or 'none'}. Check the columns phenotype and drug, and `claims.words`."
        )
    expression, subjects = varying_genes(expression[members]), [subjects[index] for index in members]
    covariates = None if covariates is None else covariates[members]
    strata = None if settings.strata is None else np.asarray(settings.strata)[members]
    settings = replace(settings, strata=strata)
    changes = TrueChanges(expression, AnimalDesign(groups, covariates))
    relabelled = _Relabelled(expression, groups, settings, covariates)
    weights = _draw_weights(subjects, settings)
    stress = contrast(groups.names, SUSCEPTIBLE, CONTROL)
    size = changes.estimate([product(stress, stress)])
    signal = signal_of(float(size.value[0]), float(np.sqrt(size.covariance[0, 0])), changes.dispersion)
    sizes = sizes_of(groups)
    results = []
    for test in build_tests(changes):
        parts = _test_parts(test, changes, relabelled)
        estimate = _Estimate.of(test, changes)
        power = power_of(test, sizes, signal, ALPHA)
        kinds = {"t", *(relabelled.kind for part in parts if part.p_relabelled is not None)}
        statement, influence = test.statement, estimate.influence(changes)
        results.append(
            ClaimResult(
                claim=test.claim,
                region=region,
                drug="+".join(test.drugs),
                arm=test.arm,
                statistic=statement.name,
                observed=estimate.value,
                expected_no_effect=None if test.scale == "absent" else 0.0,
                null_sd=None,
                p_value=max(part.p_value for part in parts),
                null="+".join(sorted(kinds, reverse=True)),
                exact=all(relabelled.is_exact(part.exchange) for part in test.parts if part.exchange),
                labellings=max(part.labellings for part in parts),
                smallest_p=max(part.smallest_p for part in parts),
                interval=estimate.interval,
                design_value=None,
                hypothesis=statement.null,
                n={groups.names[index]: sizes[groups.names[index]] for index in test.groups},
                genes=None,
                note=estimate.note,
                draws=None if weights is None else estimate.value + weights @ influence,
                alternative=statement.alternative,
                estimand=statement.estimand,
                parts=parts,
                with_shared_animals=estimate.with_shared_animals,
                power=power,
                needed=needed_size(test, sizes, signal, ALPHA) if power < 0.5 else None,
            )
        )
    return results


class _Relabelled:
    """Values of forms with animals exchanged, each set of exchanged groups once."""

    def __init__(self, expression: Floats, groups: Groups, settings: TestSettings, covariates: Floats | None) -> None:
        self.kind = "rotation" if covariates is not None and settings.strata is None else "relabelling"
        self._expression, self._groups, self._settings = expression, groups, settings
        self._covariates = covariates if self.kind == "rotation" else None
        self._products: dict[Exchange, tuple[Floats, int, bool]] = {}

    def is_exact(self, exchange: Exchange) -> bool:
        """Tell whether all relabellings are used."""
        return self._of(exchange)[2]

    def test(self, part: Part) -> tuple[float, float, int]:
        """Return p, the smallest p there could be, and the number of labellings."""
        products, labellings, _ = self._of(part.exchange)
        test = compare_with_null(np.einsum("mgh,gh->m", products, part.form)[:, None])
        return float(test.p_value[0]), float(test.smallest_p[0]), labellings

    def _of(self, exchange: Exchange) -> tuple[Floats, int, bool]:
        if exchange not in self._products:
            self._products[exchange] = self._exchange(exchange)
        return self._products[exchange]

    def _exchange(self, exchange: Exchange) -> tuple[Floats, int, bool]:
        groups, settings, count = self._groups, self._settings, len(self._groups.names)
        codes = [[groups.code(name) for name in names] for names in exchange]
        rng = generator(settings.seed, "claims", *("\x1f".join(names) for names in exchange))
        merged = groups.codes.copy()
        for members in codes:
            merged[np.isin(merged, members)] = members[0]
        # Scales that do not know which exchanged animal is in which group are the same under every labelling.
        gram = merged_gram(self._expression, group_designs(merged[None], count, self._covariates)[0])
        if self._covariates is None:
            drawn = relabel_groups(groups.codes, codes, limit=settings.relabellings, rng=rng, strata=settings.strata)
            return group_products(gram, drawn.codes, count), drawn.labellings, drawn.exact
        designs = rotate_designs(
            groups.codes, count, codes, count=settings.relabellings, rng=rng, covariates=self._covariates
        )
        return _rotated_products(gram, designs, count), len(designs), False


def _rotated_products(gram: Floats, designs: Floats, count: int) -> Floats:
    """Return products of group means under rotated designs, less the noise of means, at one variance for all groups."""
    inverse = np.linalg.pinv(designs)
    means, animals = inverse[:, :count], designs.shape[1]
    df = animals - np.linalg.matrix_rank(designs[0])
    fitted = np.einsum("mip,mpj,ji->m", designs, inverse, gram)
    variance = (np.trace(gram) - fitted) / df
    plain = means @ gram @ np.swapaxes(means, 1, 2)
    return np.asarray(plain - variance[:, None, None] * (means @ np.swapaxes(means, 1, 2)), dtype=np.float64)


def _test_parts(test: ClaimTest, changes: TrueChanges, relabelled: _Relabelled) -> tuple[PartResult, ...]:
    by_t = changes.estimate([part.form for part in test.parts]).p_above_zero
    results = []
    for part, p_t in zip(test.parts, map(float, by_t), strict=True):
        if part.exchange:
            p, smallest, labellings = relabelled.test(part)
            results.append(PartResult(part.words, max(p, p_t), p_t, p, labellings, smallest))
        else:
            results.append(PartResult(part.words, p_t, p_t))
    return tuple(results)


@dataclass(frozen=True)
class _Estimate:
    """The value of a claim on its own scale."""

    value: float
    interval: tuple[float, float] | None
    with_shared_animals: float
    note: str
    slope: tuple[Floats, ...]

    @classmethod
    def of(cls, test: ClaimTest, changes: TrueChanges) -> "_Estimate":
        """Estimate it."""
        if test.scale == "size":
            return cls._size(test, changes)
        if test.scale == "least_share":
            both = [cls._ratio(top, bottom, changes) for top, bottom in zip(test.top, test.bottom, strict=True)]
            return min(both, key=lambda estimate: estimate.value)
        if test.scale == "correlation":
            return cls._correlation(test, changes)
        ratio = cls._ratio(test.top, test.bottom, changes)
        if test.scale == "share":
            return ratio
        ends = None if ratio.interval is None else (1.0 - ratio.interval[1], min(1.0, 1.0 - ratio.interval[0]))
        return cls(1.0 - ratio.value, ends, 1.0 - ratio.with_shared_animals, ratio.note, tuple(-s for s in ratio.slope))

    def influence(self, changes: TrueChanges) -> Floats:
        """Return each animal's part in the value."""
        return np.asarray(sum(changes.influence(form) for form in self.slope), dtype=np.float64)

    @classmethod
    def _size(cls, test: ClaimTest, changes: TrueChanges) -> "_Estimate":
        estimates = changes.estimate([test.top])
        value = float(max(estimates.value[0], 0.0))
        half = estimates.limit * float(np.sqrt(estimates.covariance[0, 0]))
        low, high = (float(np.sqrt(max(estimates.value[0] + sign * half, 0.0))) for sign in (-1.0, 1.0))
        shared = float(np.sqrt(max(changes.with_shared_animals(test.top), 0.0)))
        root = float(np.sqrt(value))
        return cls(root, (low, high), shared, "", (test.top / (2.0 * max(root, half)),))

    @classmethod
    def _ratio(cls, top: Floats, bottom: Floats, changes: TrueChanges) -> "_Estimate":
        estimates = changes.estimate([top, bottom])
        return cls._made(top, bottom, estimates, changes)

    @classmethod
    def _correlation(cls, test: ClaimTest, changes: TrueChanges) -> "_Estimate":
        first, second = test.bottom
        sizes = changes.estimate([first, second])
        least = np.maximum(sizes.value, np.sqrt(np.diag(sizes.covariance)))
        relative = float(np.sqrt(least[1] / least[0]))
        bottom = (relative * first + second / relative) / 2.0
        estimate = cls._made(test.top, bottom, changes.estimate([test.top, bottom]), changes)
        plain = np.sqrt(changes.with_shared_animals(first) * changes.with_shared_animals(second))
        shared = float(changes.with_shared_animals(test.top) / plain) if plain > 0 else 0.0
        value = float(np.clip(estimate.value, -1.0, 1.0))
        known = estimate.interval is not None and bool(np.all(sizes.value > 0))
        ends = None
        if known and estimate.interval is not None:
            low, high = np.clip(estimate.interval, -1.0, 1.0).tolist()
            ends = (low, high)
        return cls(value, ends, shared, "" if known else _UNDETERMINED, estimate.slope)

    @classmethod
    def _made(cls, top: Floats, bottom: Floats, estimates: FormEstimates, changes: TrueChanges) -> "_Estimate":
        _, interval = estimates.share()
        # A change smaller than its own error is not divided by: the value stays readable, and has no interval.
        divisor = float(max(estimates.value[1], np.sqrt(estimates.covariance[1, 1])))
        value = float(estimates.value[0]) / divisor
        plain = changes.with_shared_animals(bottom)
        shared = float(changes.with_shared_animals(top) / plain) if plain > 0 else 0.0
        return cls(
            value, interval, shared, "" if interval else _UNDETERMINED, (top / divisor, -value * bottom / divisor)
        )


_UNDETERMINED = "interval not determined: the change it is a share of is not above its noise"


def _draw_weights(subjects: Sequence[str], settings: TestSettings) -> Floats | None:
    """Return random weights of animals, draws x animals; an animal has the same in all its regions."""
    if not settings.draws:
        return None
    columns = [generator(settings.seed, "animal", name).normal(size=settings.draws) for name in subjects]
    return np.asarray(np.stack(columns, axis=1), dtype=np.float64)
