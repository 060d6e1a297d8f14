"""What each claim asserts about the groups' true means: its null, its alternative, its estimand and the forms that test it.

Writing C, S, Z, R and N for the true mean expression of control, susceptible and resilient animals and of a drug's responders and
non-responders, every claim is a set of products of changes that must all be above zero. It is called consistent only if each of
them is, by its own test (intersection-union): the claim's p is the largest of theirs, so it is at most alpha wherever the claim is
false in one part, whatever the others do. Of several drugs the products are averaged, except where the claim is about each of them:
that both drugs move their responders (R4, R5), and that each has changes of its own (R7).

References
----------
Berger RL (1982) Multiparameter hypothesis testing and acceptance sampling. Technometrics 24:295-300.
doi:10.1080/00401706.1982.10487790
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.contrasts.groups import CONTROL, NON_RESPONDER, RESILIENT, RESPONDER, SUSCEPTIBLE
from responder_ml.contrasts.true_changes import TrueChanges, contrast, product

LACKING = 0.25
"""Largest squared change of non-responders, as a share of the responders', that counts as lacking it (R6a)."""

Exchange = tuple[tuple[str, ...], ...]
Scale = Literal["size", "share", "least_share", "correlation", "absent"]


@dataclass(frozen=True)
class Part:
    """One product that the claim needs above zero.

    Attributes
    ----------
    words
        What it says if it is above zero.
    form
        Over groups.
    exchange
        Groups whose animals are exchanged, for a test by relabelling beside that by t; none where t alone is taken.
    """

    words: str
    form: Floats
    exchange: Exchange = ()


@dataclass(frozen=True)
class Statement:
    """A claim in terms of true means.

    Attributes
    ----------
    name
        Name of its estimate.
    estimand, null, alternative
        In words.
    """

    name: str
    estimand: str
    null: str
    alternative: str


@dataclass(frozen=True)
class ClaimTest:
    """The test of one claim for one drug, or for several together.

    Attributes
    ----------
    claim
        Code.
    drugs
        Drugs involved; empty where none is.
    arm
        Groups compared, in words.
    parts
        Products that must be above zero.
    scale
        How the estimate is made of ``top`` and ``bottom``: the root of the mean square (``size``), their ratio (``share``), one
        less their ratio (``absent``), the smaller of two ratios (``least_share``), or the first over the geometric mean of two
        (``correlation``).
    top, bottom
        Forms; stacks of two where the scale needs two.
    """

    claim: str
    drugs: tuple[str, ...]
    arm: str
    parts: tuple[Part, ...]
    scale: Scale
    top: Floats
    bottom: Floats

    @property
    def statement(self) -> Statement:
        """What is tested, in words."""
        return STATEMENTS[self.claim]

    @property
    def groups(self) -> tuple[int, ...]:
        """Positions of the groups that its forms involve."""
        forms = np.stack([part.form for part in self.parts])
        return tuple(int(index) for index in np.flatnonzero(np.abs(forms).sum(axis=(0, 1))))


STATEMENTS: Mapping[str, Statement] = {
    "R2": Statement(
        "stress_change",
        "size of the true change S - C: root mean square over genes, in residual standard deviations",
        "S = C",
        "|S - C|^2 > 0",
    ),
    "R3": Statement(
        "common_correlation",
        "correlation over genes of the two drugs' true changes R - S in responders",
        "(R1 - S).(R2 - S) <= 0: one drug at most acts, or both act in unrelated or opposite ways",
        "(R1 - S).(R2 - S) > 0",
    ),
    "R4": Statement(
        "undone_share",
        "share of the true stress change S - C that is undone in responders, (S - R).(S - C) / |S - C|^2",
        "(S - R).(S - C) <= 0 for a drug, or (N - R).(S - C) <= 0: responders not moved back, or no more than non-responders",
        "(S - R).(S - C) > 0 for each drug, and (N - R).(S - C) > 0",
    ),
    "R5": Statement(
        "induced_share",
        "share of the resilient animals' own change (what of Z - C does not lie along S - C) that responders have gained",
        "responders to one drug at least gain none of it, or responders no more than non-responders",
        "responders to each drug gain some of it, and responders more than non-responders",
    ),
    "R6a": Statement(
        "absent_share",
        "one less the squared size of the non-responders' true change over the responders', 1 - |N - S|^2 / |R - S|^2",
        f"R = S, or |N - S|^2 is {LACKING:g} of |R - S|^2 or more",
        f"responders changed, and non-responders by less than {LACKING:g} of that",
    ),
    "R6b": Statement(
        "own_share",
        "share of the non-responders' true change N - S that leads away from responders, too, (N - S).(N - R) / |N - S|^2",
        "(N - S).(N - R) <= 0: non-responders lie between susceptible animals and responders, or with either",
        "(N - S).(N - R) > 0",
    ),
    "R6c": Statement(
        "change_correlation",
        "correlation over genes of the true changes R - S and N - S; the claim needs it below 0",
        "(R - S).(N - S) >= 0: one of them does not change, or they change in unrelated or like ways",
        "(R - S).(N - S) < 0",
    ),
    "R7": Statement(
        "drug_own_share",
        "share of a drug's true change R - S in responders that leads away from the other's responders, too; the smaller one",
        "for one drug at least, (R1 - S).(R1 - R2) <= 0",
        "for each drug, (R1 - S).(R1 - R2) > 0",
    ),
}
"""Every claim that is tested on expression."""

BOTH_ARMS = "responder and non_responder"
_STRESS = f"{SUSCEPTIBLE} - {CONTROL}"


def build_tests(changes: TrueChanges) -> list[ClaimTest]:
    """Return the tests that these groups allow, each drug alone and all drugs together, in the order of the claims."""
    names = changes.design.groups.names
    stress = contrast(names, SUSCEPTIBLE, CONTROL)
    size = product(stress, stress)
    away = (Part("stress changed expression", size, ((SUSCEPTIBLE, CONTROL),)),)
    tests = [ClaimTest("R2", (), _STRESS, away, "size", size, size)]
    arms = {
        arm: {name.removesuffix(f" {arm}"): name for name in names if name.endswith(f" {arm}")}
        for arm in (RESPONDER, NON_RESPONDER)
    }
    responders = arms[RESPONDER]
    pairs = {
        drug: (name, arms[NON_RESPONDER][drug]) for drug, name in responders.items() if drug in arms[NON_RESPONDER]
    }
    tests += [
        build(names, drugs) for drugs in permutations(sorted(responders), 2) if drugs[0] < drugs[1]
        for build in (_alike, _own_of_each_drug)
    ]  # fmt: skip
    for drugs in _alone_and_together(pairs):
        chosen = {drug: pairs[drug] for drug in drugs}
        tests += [_reversal(names, chosen), *_non_response(names, chosen)]
        if RESILIENT in names:
            tests.append(_induction(changes, chosen))
    if not pairs:
        for drugs in _alone_and_together(responders):
            tests.append(_reversal(names, {drug: (responders[drug], "") for drug in drugs}))
            if RESILIENT in names:
                tests.append(_induction(changes, {drug: (responders[drug], "") for drug in drugs}))
    return sorted(tests, key=lambda test: test.claim)


def _alone_and_together(drugs: Mapping[str, object]) -> list[tuple[str, ...]]:
    alone: list[tuple[str, ...]] = [(drug,) for drug in sorted(drugs)]
    return alone if len(alone) < 2 else [*alone, tuple(sorted(drugs))]


def _alike(names: Sequence[str], drugs: tuple[str, ...]) -> ClaimTest:
    first, second = (contrast(names, f"{drug} {RESPONDER}", SUSCEPTIBLE) for drug in drugs)
    part = Part("both drugs move responders in like ways", product(first, second))
    return ClaimTest("R3", drugs, RESPONDER, (part,), "correlation", part.form, _geometric(first, second))


def _own_of_each_drug(names: Sequence[str], drugs: tuple[str, ...]) -> ClaimTest:
    parts, shares = [], []
    for drug, other in (drugs, drugs[::-1]):
        change = contrast(names, f"{drug} {RESPONDER}", SUSCEPTIBLE)
        form = product(change, contrast(names, f"{drug} {RESPONDER}", f"{other} {RESPONDER}"))
        parts.append(Part(f"{drug} has changes of its own", form))
        shares.append(product(change, change))
    tops, bottoms = np.stack([part.form for part in parts]), np.stack(shares)
    return ClaimTest("R7", drugs, RESPONDER, tuple(parts), "least_share", tops, bottoms)


def _reversal(names: Sequence[str], pairs: Mapping[str, tuple[str, str]]) -> ClaimTest:
    stress = contrast(names, SUSCEPTIBLE, CONTROL)
    backs = {drug: product(contrast(names, SUSCEPTIBLE, name), stress) for drug, (name, _) in pairs.items()}
    parts = [Part(f"{drug} responders are moved back", form) for drug, form in backs.items()]
    arm = RESPONDER
    if all(other for _, other in pairs.values()):
        arm = BOTH_ARMS
        more = _mean([product(contrast(names, other, name), stress) for name, other in pairs.values()])
        parts.append(Part("responders are moved back more than non-responders", more, tuple(pairs.values())))
    return ClaimTest(
        "R4", tuple(pairs), arm, tuple(parts), "share", _mean(list(backs.values())), product(stress, stress)
    )


def _induction(changes: TrueChanges, pairs: Mapping[str, tuple[str, str]]) -> ClaimTest:
    """Return the test of gaining what resilient animals have of their own: what of their change does not lie along stress."""
    names = changes.design.groups.names
    stress, resilience = contrast(names, SUSCEPTIBLE, CONTROL), contrast(names, RESILIENT, CONTROL)
    size, along = product(stress, stress), product(resilience, stress)
    estimates = changes.estimate([size, along])
    # Where stress is not above its noise there is nothing to hold constant, and dividing by it would only add noise.
    least = float(np.sqrt(estimates.covariance[0, 0]))
    slope = float(np.clip(estimates.value[1] / max(estimates.value[0], least), -1.0, 1.0)) if least > 0 else 0.0
    slope_varies = estimates.value[0] >= least and abs(slope) < 1.0

    def own(change: Floats) -> Floats:
        form = product(change, resilience) - slope * product(change, stress)
        if slope_varies:
            # The error of the slope, to first order.
            form -= changes.value(product(change, stress)) / estimates.value[0] * (along - slope * size)
        return form

    gains = {drug: own(contrast(names, name, SUSCEPTIBLE)) for drug, (name, _) in pairs.items()}
    parts = [
        Part(f"{drug} responders gain what resilient animals have of their own", form) for drug, form in gains.items()
    ]
    arm = RESPONDER
    if all(other for _, other in pairs.values()):
        arm = BOTH_ARMS
        more = _mean([own(contrast(names, name, other)) for name, other in pairs.values()])
        parts.append(Part("responders gain more of it than non-responders", more, tuple(pairs.values())))
    bottom = product(resilience, resilience) - slope * along
    if slope_varies:
        bottom = bottom - slope * (along - slope * size)
    return ClaimTest("R5", tuple(pairs), arm, tuple(parts), "share", _mean(list(gains.values())), bottom)


def _non_response(names: Sequence[str], pairs: Mapping[str, tuple[str, str]]) -> list[ClaimTest]:
    drugs = tuple(pairs)
    ours = [contrast(names, name, SUSCEPTIBLE) for name, _ in pairs.values()]
    theirs = [contrast(names, other, SUSCEPTIBLE) for _, other in pairs.values()]
    changed, other_changed = _mean([product(one, one) for one in ours]), _mean([product(one, one) for one in theirs])
    together = _mean([product(one, other) for one, other in zip(ours, theirs, strict=True)])
    lack = (
        Part("responders changed", changed, ((SUSCEPTIBLE, *(name for name, _ in pairs.values())),)),
        Part(f"non-responders changed by less than {LACKING:g} of that", LACKING * changed - other_changed),
    )
    own = Part("non-responders move away from susceptible animals and responders", other_changed - together)
    opposed = Part("non-responders move against responders", -together)
    return [
        ClaimTest("R6a", drugs, BOTH_ARMS, lack, "absent", other_changed, changed),
        ClaimTest("R6b", drugs, BOTH_ARMS, (own,), "share", own.form, other_changed),
        ClaimTest("R6c", drugs, BOTH_ARMS, (opposed,), "correlation", together, np.stack([changed, other_changed])),
    ]


def _geometric(first: Floats, second: Floats) -> Floats:
    return np.stack([product(first, first), product(second, second)])


def _mean(forms: Sequence[Floats]) -> Floats:
    return np.asarray(np.mean(forms, axis=0), dtype=np.float64)
