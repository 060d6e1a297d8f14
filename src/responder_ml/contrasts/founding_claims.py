"""The founding study's claims: for each, the statistics, the groups they compare and the relabelling that gives the null.

R1 rests on behaviour (`response_fraction`), R8 compares regions (`region_ranks`); the others are rows built here for the groups of
a cohort. The statements are those of the study's press release (doi:10.1016/j.biopsych.2016.06.012).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.contrasts.claim_statistic import Statistic
from responder_ml.contrasts.claim_tests import STATEMENTS
from responder_ml.contrasts.comparisons import Comparisons
from responder_ml.contrasts.groups import (
    CONTROL,
    FEWEST,
    NON_RESPONDER,
    RESILIENT,
    RESPONDER,
    SUSCEPTIBLE,
    Groups,
)
from responder_ml.contrasts.pair_statistics import BURDEN, COMMON, DRUG_SPECIFIC, INTERACTION, NON_RESPONSE
from responder_ml.contrasts.treatment_statistics import AGGRAVATION, INDUCTION, REVERSAL
from responder_ml.errors import ContrastError

DIFFERENCE = "responder less non_responder"
"""The arm of rows whose statistic is that of responders less that of non-responders.

Both contain the susceptible animals, whose noise does not cancel where effects, noise or sizes of the two arms differ: these rows
test "outcome has nothing to do with expression", not the claim. `claim_tests` tests the claims."""

CLAIMS: Mapping[str, str] = {
    "R1": "Each treatment reversed the symptoms of a roughly equal fraction of mice.",
    "R2": "Stress states and treatments change many genes in every region.",
    "R3": "Both drugs act alike, above all in the prefrontal cortex.",
    "R4": "In responders both drugs reverse susceptibility-specific expression.",
    "R5": "In responders both drugs induce resilience-specific expression.",
    "R6a": "Non-responders lack the changes seen in responders.",
    "R6b": "Non-responders show changes of their own.",
    "R6c": "Changes in non-responders oppose the effect of medication.",
    "R7": "Each drug also has changes of its own.",
    "R8": "The prefrontal cortex leads in what both drugs share.",
}

NO_DRUG_EFFECT = "the drug changes nothing in susceptible animals"
NO_RESPONSE_EFFECT = "outcome has nothing to do with expression, whatever the drug does"
SAME_DRUGS = "responders to the two drugs do not differ"
NO_DIFFERENCE = "the two groups do not differ"

SUMMARIES: Mapping[str, str] = {
    "response_fraction": "share of treated animals that responded",
    "response_fraction_difference": "response share of one drug less that of the other",
    **{statement.name: statement.estimand for statement in STATEMENTS.values()},
    **{
        statistic.name: statistic.summary
        for statistics in (BURDEN, COMMON, REVERSAL, INDUCTION, NON_RESPONSE, AGGRAVATION, DRUG_SPECIFIC, INTERACTION)
        for statistic in statistics
    },
}
"""Every statistic in one line."""

Exchange = tuple[tuple[str, ...], ...]
Arms = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Row:
    """One line of the table of claims.

    Attributes
    ----------
    statistic
        What is computed.
    drug
        Drug or drugs, joined by ``+``; empty where none is involved.
    arm
        Groups compared, in words.
    terms
        The value is the sum of coefficient times statistic over these group names.
    exchange
        Groups whose subjects are exchanged in the null.
    hypothesis
        The null hypothesis, in words.
    """

    statistic: Statistic
    drug: str
    arm: str
    terms: tuple[tuple[float, tuple[str, ...]], ...]
    exchange: Exchange
    hypothesis: str

    def compute(self, comparisons: Comparisons) -> Floats:
        """Return the value under each labelling."""
        parts = [coefficient * self._term(comparisons, groups) for coefficient, groups in self.terms]
        return np.asarray(sum(parts), dtype=np.float64)

    def design_value(self, sizes: Mapping[str, int]) -> float | None:
        """Return the value if no group differs from any other, where it is known in closed form."""
        design = self.statistic.design
        return None if design is None else sum(weight * design(sizes, *groups) for weight, groups in self.terms)

    def genes(self, comparisons: Comparisons) -> int | None:
        """Return the number of genes of the observed statistic, if it depends on the data and there is one term."""
        if self.statistic.genes is None or len(self.terms) > 1:
            return None
        return int(self.statistic.genes(comparisons, *self.terms[0][1])[0])

    def bounds(self) -> tuple[float, float]:
        """Return the least and the largest value the row can take."""
        low, high = self.statistic.bounds
        ends = [sorted((weight * low, weight * high)) for weight, _ in self.terms]
        return sum(end[0] for end in ends), sum(end[1] for end in ends)

    def groups(self) -> tuple[str, ...]:
        """Return the groups named in its terms and its null."""
        named = [name for _, names in self.terms for name in names]
        named += [name for names in self.exchange for name in names]
        return tuple(dict.fromkeys(named))

    def _term(self, comparisons: Comparisons, groups: tuple[str, ...]) -> Floats:
        key = (self.statistic.name, *groups)
        return comparisons.cached(key, lambda: self.statistic.compute(comparisons, *groups))


def build_rows(groups: Groups) -> list[Row]:
    """Return the rows that can be computed from these groups, in the order of the claims.

    Raises
    ------
    ContrastError
        Control or susceptible animals under vehicle are fewer than two. Without treated ones only R2 has rows.
    """
    present = [name for name in groups.names if groups.size(name) >= FEWEST]
    arms = {
        response: {name.removesuffix(f" {response}"): name for name in present if name.endswith(f" {response}")}
        for response in (RESPONDER, NON_RESPONDER)
    }
    missing = [name for name in (CONTROL, SUSCEPTIBLE) if name not in present]
    if missing:
        sizes = ", ".join(f"{name} {groups.size(name)}" for name in groups.names) or "none"
        raise ContrastError(
            f"The claims need control and susceptible animals under vehicle, at least {FEWEST} of each. The sheet has: {sizes}. "
            "Check the columns phenotype and drug, `claims.words` and `where`."
        )
    resilient = RESILIENT in present
    rows = [
        *_burden_rows(arms, resilient),
        *_common_rows(arms),
        *_arm_rows(arms, (*REVERSAL, *(INDUCTION if resilient else ()))),
        *_non_response_rows(arms),
        *_drug_rows(arms),
    ]
    return sorted(rows, key=lambda row: row.statistic.claim)


def _burden_rows(arms: Arms, resilient: bool) -> list[Row]:
    treated = {name: drug for arm in arms.values() for drug, name in arm.items()}
    pairs = [(SUSCEPTIBLE, CONTROL, "")] + ([(RESILIENT, CONTROL, "")] if resilient else [])
    pairs += [(name, minus, drug) for minus in (SUSCEPTIBLE, CONTROL) for name, drug in treated.items()]
    return [
        Row(statistic, drug, f"{plus} - {minus}", ((1.0, (plus, minus)),), ((plus, minus),), NO_DIFFERENCE)
        for statistic in BURDEN
        for plus, minus, drug in pairs
    ]


def _arm_rows(arms: Arms, statistics: Sequence[Statistic]) -> list[Row]:
    """Return each arm against susceptible, drugs together, and the difference of responders and non-responders."""
    rows = []
    pairs = _pairs(arms)
    for statistic in statistics:
        for response, arm in arms.items():
            rows += [
                Row(statistic, drug, response, ((1.0, (name,)),), ((SUSCEPTIBLE, name),), NO_DRUG_EFFECT)
                for drug, name in arm.items()
            ]
        responders = {drug: ((1.0, (name,)),) for drug, name in arms[RESPONDER].items()}
        exchange = ((SUSCEPTIBLE, *arms[RESPONDER].values()),)
        rows += _pooled(statistic, RESPONDER, responders, exchange, NO_DRUG_EFFECT)
        terms = {drug: ((1.0, (one,)), (-1.0, (other,))) for drug, (one, other) in pairs.items()}
        rows += [Row(statistic, drug, DIFFERENCE, terms[drug], (pairs[drug],), NO_RESPONSE_EFFECT) for drug in pairs]
        rows += _pooled(statistic, DIFFERENCE, terms, tuple(pairs.values()), NO_RESPONSE_EFFECT)
    return rows


def _non_response_rows(arms: Arms) -> list[Row]:
    pairs = _pairs(arms)
    rows = [
        Row(statistic, drug, NON_RESPONDER, ((1.0, (name,)),), ((SUSCEPTIBLE, name),), NO_DRUG_EFFECT)
        for statistic in AGGRAVATION
        for drug, name in arms[NON_RESPONDER].items()
    ]
    for statistic in NON_RESPONSE:
        arm = "responder and non_responder"
        rows += [Row(statistic, drug, arm, ((1.0, pair),), (pair,), NO_RESPONSE_EFFECT) for drug, pair in pairs.items()]
        terms = {drug: ((1.0, pair),) for drug, pair in pairs.items()}
        rows += _pooled(statistic, arm, terms, tuple(pairs.values()), NO_RESPONSE_EFFECT)
    return rows


def _common_rows(arms: Arms) -> list[Row]:
    """Return what two drugs have in common in responders, and the same less what they have in common in non-responders."""
    rows, pairs = [], _pairs(arms)
    for drugs in combinations(arms[RESPONDER], 2):
        first = tuple(arms[RESPONDER][drug] for drug in drugs)
        exchange = tuple(pairs[drug] for drug in drugs if drug in pairs)
        for statistic in COMMON:
            together = "+".join(drugs)
            rows.append(Row(statistic, together, RESPONDER, ((1.0, first),), ((SUSCEPTIBLE, *first),), NO_DRUG_EFFECT))
            if len(exchange) == len(drugs):
                terms = ((1.0, first), (-1.0, tuple(other for _, other in exchange)))
                rows.append(Row(statistic, together, DIFFERENCE, terms, exchange, NO_RESPONSE_EFFECT))
    return rows


def _drug_rows(arms: Arms) -> list[Row]:
    """Return what only one of two drugs changes in responders, and how response depends on the drug."""
    rows, pairs = [], _pairs(arms)
    for drugs in combinations(arms[RESPONDER], 2):
        pair = (arms[RESPONDER][drugs[0]], arms[RESPONDER][drugs[1]])
        for statistic in DRUG_SPECIFIC:
            rows += [
                Row(statistic, drug, RESPONDER, ((1.0, ordered),), (pair,), SAME_DRUGS)
                for drug, ordered in zip(drugs, (pair, pair[::-1]), strict=True)
            ]
        exchange = tuple(pairs[drug] for drug in drugs if drug in pairs)
        if len(exchange) == len(drugs):
            terms = ((1.0, (*exchange[0], *exchange[1])),)
            rows += [
                Row(statistic, "+".join(drugs), "drug x response", terms, exchange, NO_RESPONSE_EFFECT)
                for statistic in INTERACTION
            ]
    return rows


def _pairs(arms: Arms) -> dict[str, tuple[str, str]]:
    """Return responders and non-responders of each drug that has both."""
    both = [drug for drug in arms[RESPONDER] if drug in arms[NON_RESPONDER]]
    return {drug: (arms[RESPONDER][drug], arms[NON_RESPONDER][drug]) for drug in both}


def _pooled(
    statistic: Statistic,
    arm: str,
    terms: Mapping[str, tuple[tuple[float, tuple[str, ...]], ...]],
    exchange: Exchange,
    hypothesis: str,
) -> list[Row]:
    """Return the mean over drugs, if there is more than one."""
    if len(terms) < 2:
        return []
    mean = tuple((weight / len(terms), groups) for parts in terms.values() for weight, groups in parts)
    return [Row(statistic, "+".join(terms), arm, mean, exchange, hypothesis)]
