"""What a bundle's score is worth: the verdict of the run that made it, which travels with every score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from responder_ml.errors import BundleError

EVIDENCE, UNKNOWN = "evidence", "unknown"

# In place of {numbers} stand the AUROC with its interval and p, in brackets, where they are known.
_WORTH = {
    EVIDENCE: (
        "held-out training subjects were told apart{numbers}; a score is worth that in samples like those, and less elsewhere"
    ),
    "confounded": "training separated the classes{numbers}, but a nuisance explains it: a score may tell batches, not classes",
    "not_separable": (
        "training separated the classes{numbers}, but class and nuisance are nearly the same there: a score may tell batches, "
        "not classes"
    ),
    "no_evidence": "training gave no evidence that the classes can be told apart{numbers}: a score may be no more than chance",
    "underpowered": "training had too few subjects for any evidence{numbers}: a score may be no more than chance",
    "undecided": "training left open whether the classes can be told apart{numbers}: a score may be no more than chance",
    "not_tested": "training was not compared with relabelled subjects{numbers}: a score may be no more than chance",
    UNKNOWN: "the bundle carries no verdict{numbers}: what a score is worth is not known",
}
# Whole numbers of a damaged file may be larger than any that can be computed with.
_LARGEST = 1e300
_ANYWAY = "used all the same, as requested"


@dataclass(frozen=True)
class Worth:
    """The verdict of a bundle's training, and what a score is worth by it.

    Attributes
    ----------
    level
        Of the verdict; ``unknown`` for a bundle that carries none.
    verdict
        The verdict in one sentence; empty where unknown.
    auroc, auroc_ci
        AUROC of held-out training subjects with its 95 % interval; None where not known.
    p_value
        Against relabelled subjects; None where not known.
    measure
        What ``auroc`` is called.
    null_mean
        Its mean for relabelled subjects, where that is told.
    """

    level: str
    verdict: str
    auroc: float | None
    auroc_ci: tuple[float | None, float | None]
    p_value: float | None
    measure: str = "AUROC"
    null_mean: float | None = None

    @classmethod
    def of(cls, training: Mapping[str, Any]) -> "Worth":
        """Read it from the content of a result, or from what a bundle's manifest keeps of it.

        Raises
        ------
        BundleError
            Something in it is of another kind than it should be.
        """
        verdict, headline, null = (_section(training, name) for name in ("verdict", "headline", "null"))
        interval = headline.get("auroc_ci") or (None, None)
        if not isinstance(interval, list | tuple) or len(interval) != 2:
            raise _damaged("auroc_ci")
        low, high = interval
        return cls(
            level=str(verdict.get("level") or UNKNOWN),
            verdict=str(verdict.get("sentence") or ""),
            auroc=_number(headline.get("auroc"), "auroc"),
            auroc_ci=(_number(low, "auroc_ci"), _number(high, "auroc_ci")),
            p_value=_number(null.get("p_value"), "p_value"),
        )

    @classmethod
    def of_classes(cls, training: Mapping[str, Any]) -> "Worth":
        """Read it from what the manifest of several classes keeps of their training; raises as `of`."""
        verdict, null = _section(training, "verdict"), _section(training, "null")
        return cls(
            level=str(verdict.get("level") or UNKNOWN),
            verdict=str(verdict.get("sentence") or ""),
            auroc=_number(training.get("macro_auroc"), "macro_auroc"),
            auroc_ci=(None, None),
            p_value=_number(null.get("p_value"), "p_value"),
            measure="mean AUROC of the pairs of classes",
            null_mean=_number(null.get("null_mean"), "null_mean"),
        )

    @property
    def sentence(self) -> str:
        """What a score is worth, in one sentence."""
        words = _WORTH.get(self.level, _WORTH[UNKNOWN]).format(numbers=self._numbers())
        words += "" if self.level in (EVIDENCE, UNKNOWN) else f"; {_ANYWAY}"
        return f"{words[0].upper()}{words[1:]}."

    @property
    def columns(self) -> dict[str, Any]:
        """What every row of a table of scores says about it, by column."""
        low, high = self.auroc_ci
        numbers = {"auroc": self.auroc, "auroc_low": low, "auroc_high": high, "p": self.p_value}
        shown = {f"verdict_{name}": float("nan") if value is None else float(value) for name, value in numbers.items()}
        return {"verdict": self.level, **shown, "worth": self.sentence}

    def require_evidence(self, name: str, *, anyway: bool, action: str = "score with it") -> None:
        """Refuse a bundle whose training gave no evidence, unless it is used all the same.

        A bundle that carries no verdict was written before verdicts travelled, and is not refused.

        Parameters
        ----------
        name
            The bundle, for the message.
        anyway
            Whether the user insists.
        action
            What the user wants of it.

        Raises
        ------
        BundleError
            There is no evidence and the user did not insist.
        """
        if anyway or self.level in (EVIDENCE, UNKNOWN):
            return
        raise BundleError(
            f"The verdict of {name} is '{self.level}': {self.verdict or 'no sentence was given'} Only a model with evidence is "
            f"used without asking. To {action} all the same, add --anyway; every answer then says so."
        )

    def _numbers(self) -> str:
        if self.auroc is None:
            return ""
        low, high = self.auroc_ci
        parts = [f"{self.measure} {self.auroc:.2f}"]
        parts += [] if low is None or high is None else [f"95 % interval {low:.2f} to {high:.2f}"]
        parts += [] if self.null_mean is None else [f"{self.null_mean:.2f} for relabelled subjects"]
        parts += [] if self.p_value is None else [f"p = {self.p_value:.2g}"]
        return f" ({', '.join(parts)})"


def _section(training: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a part of what is kept of a training, empty where there is none."""
    section = training.get(name) or {}
    if not isinstance(section, Mapping):
        raise _damaged(name)
    return section


def _number(value: Any, name: str) -> float | None:
    """Return a number; None where there is none, or it was not computed."""
    if value is None or value != value:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise _damaged(name)
    return float(value)


def _damaged(name: str) -> BundleError:
    return BundleError(
        f"What the bundle keeps of its training is damaged: {name} is not as expected. Use an intact copy."
    )
