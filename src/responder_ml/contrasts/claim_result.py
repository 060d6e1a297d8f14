"""One line of the table of claims, evaluated."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from responder_ml.arrays import Floats


@dataclass(frozen=True)
class PartResult:
    """One thing that a claim needs, tested.

    Attributes
    ----------
    words
        What it says.
    p_value
        One-sided p: the larger of those by t and by relabelling where it has both.
    p_t, p_relabelled
        Each of the two; None where there is none.
    labellings
        Relabellings used, 0 where there are none.
    smallest_p
        Smallest p that it can yield.
    """

    words: str
    p_value: float
    p_t: float
    p_relabelled: float | None = None
    labellings: int = 0
    smallest_p: float = 0.0


@dataclass(frozen=True)
class ClaimResult:
    """A statistic, its null distribution and its interval.

    Attributes
    ----------
    claim
        Code, R1 to R7.
    region
        Region, or empty.
    drug
        Drug or drugs, joined by ``+``; empty where none is involved.
    arm
        Groups compared, in words.
    statistic
        Name; larger values support the claim.
    observed
        Its value.
    expected_no_effect
        Its mean under the null: its expected value if the hypothesis holds. None where it is unknown.
    null_sd
        Its standard deviation under the null.
    p_value
        One-sided p.
    null
        How the null was made: ``relabelling`` of subjects, ``rotation`` of residuals, ``fisher``, or ``t`` of an unbiased product,
        alone or joined by ``+`` to one of the first two.
    exact
        Whether all relabellings were used.
    labellings
        Number of distinct relabellings; 0 where none were made.
    smallest_p
        Smallest p the null can yield on these data.
    interval
        95 % interval from the subject bootstrap, centred on the observed value.
    design_value
        Its closed-form value if no group, stressed or treated, differs from any other.
    hypothesis
        The null hypothesis, in words.
    n
        Subjects per group involved.
    genes
        Genes the statistic is taken over, where that depends on the data.
    note
        Caveats on this line.
    draws
        Bootstrap values, for ranking regions.
    null_values
        Values under the null, that of the observed groups included, for figures.
    alternative, estimand
        What the claim asserts and what is estimated, in words; empty where ``statistic`` says it.
    parts
        What the claim needs, each with its p; the line's p is the largest of theirs.
    with_shared_animals
        The same estimate with the noise of shared animals left in: what is usually published. None where none is taken out.
    power
        Probability of "consistent" at these group sizes if the claim holds in full; None where it is not computed.
    needed
        Smallest group that makes it four fifths, all groups enlarged alike; None where no size searched does.
    """

    claim: str
    region: str
    drug: str
    arm: str
    statistic: str
    observed: float
    expected_no_effect: float | None
    null_sd: float | None
    p_value: float | None
    null: str
    exact: bool
    labellings: int
    smallest_p: float | None
    interval: tuple[float, float] | None
    design_value: float | None
    hypothesis: str
    n: Mapping[str, int]
    genes: int | None
    note: str
    draws: Floats | None = field(default=None, repr=False, compare=False)
    null_values: Floats | None = field(default=None, repr=False, compare=False)
    alternative: str = ""
    estimand: str = ""
    parts: tuple[PartResult, ...] = ()
    with_shared_animals: float | None = None
    power: float | None = None
    needed: int | None = None
