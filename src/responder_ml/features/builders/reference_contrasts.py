"""Signatures as contrasts of two groups of samples: those of the founding study, and those that a job defines.

The definitions are those of the study's claims (doi:10.1016/j.biopsych.2016.06.012) on the canonical columns of a sample
sheet. They are defaults, not facts about any cohort: a job can define each anew under its name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from responder_ml.errors import FeatureError
from responder_ml.registry import did_you_mean

Selection = Mapping[str, tuple[str, ...]]
"""Values to select in each column; a sample must match in all columns."""

_SIDES = ("plus", "minus")


@dataclass(frozen=True)
class Contrast:
    """A contrast of two groups of samples.

    Attributes
    ----------
    plus, minus
        The groups; genes higher in ``plus`` are the up genes.
    sign
        1, or -1 where a high score means unlike ``plus``.
    apart_from
        Two further groups: the difference between them is removed from the contrast.
    """

    plus: Selection
    minus: Selection
    sign: float = 1.0
    apart_from: tuple[Selection, Selection] | None = None


_CONTROL = {"phenotype": ("control",)}
_SUSCEPTIBLE = {"phenotype": ("susceptible",), "drug": ("saline",)}
_RESPONDER = {"response": ("responder",)}

CATALOGUE: Mapping[str, Contrast] = MappingProxyType(
    {
        "susceptibility_reversal": Contrast(_SUSCEPTIBLE, _CONTROL, sign=-1.0),
        "resilience_induction": Contrast({"phenotype": ("resilient",)}, _CONTROL),
        "stress_axis": Contrast({"phenotype": ("susceptible", "resilient"), "drug": ("saline",)}, _CONTROL),
        "ketamine_axis": Contrast({"drug": ("ketamine",)}, _SUSCEPTIBLE),
        "imipramine_axis": Contrast({"drug": ("imipramine",)}, _SUSCEPTIBLE),
        "nonresponder_opposition": Contrast(
            {"response": ("non_responder",)}, _RESPONDER, apart_from=(_RESPONDER, _SUSCEPTIBLE)
        ),
    }
)
"""The founding study's signatures. Both sides of the last share the responders, so that the effect of treatment on these
would count against them by construction; it is removed."""

DEFAULT = ("susceptibility_reversal", "resilience_induction", "stress_axis")
"""The signatures scored by default."""


def read_contrast(name: str, definition: Mapping[str, Any]) -> Contrast:
    """Return a contrast as a job defines it.

    Parameters
    ----------
    name
        Of the signature, for messages.
    definition
        ``plus`` and ``minus``, each a mapping of columns to a value or a list of values; optionally ``sign`` (1 or -1) and
        ``apart_from``, which has its own ``plus`` and ``minus``.

    Raises
    ------
    FeatureError
        An unknown or missing key, or an impossible value.
    """
    _check_keys(name, definition, (*_SIDES, "sign", "apart_from"))
    sign = definition.get("sign", 1)
    if sign not in (1, -1):
        raise FeatureError(f"Signature '{name}' has sign {sign!r}, but it must be 1 or -1.")
    apart = definition.get("apart_from")
    if apart is not None:
        _check_keys(f"{name}.apart_from", apart, _SIDES)
        apart = (
            _selection(name, "apart_from.plus", apart["plus"]),
            _selection(name, "apart_from.minus", apart["minus"]),
        )
    return Contrast(
        _selection(name, "plus", definition["plus"]), _selection(name, "minus", definition["minus"]), float(sign), apart
    )


def find_contrasts(names: Sequence[str], definitions: Mapping[str, Mapping[str, Any]]) -> dict[str, Contrast]:
    """Return the contrasts of some signatures: as the job defines them, or else the catalogue's.

    Raises
    ------
    FeatureError
        A name that is neither defined nor in the catalogue, or a definition that cannot be read.
    """
    own = {name: read_contrast(name, definition) for name, definition in definitions.items()}
    known = {**CATALOGUE, **own}
    for name in names:
        if name not in known:
            raise FeatureError(
                f"There is no signature '{name}'. {did_you_mean(name, list(known))} Define your own under `contrasts`."
            )
    return {name: known[name] for name in names}


def _check_keys(name: str, definition: object, known: Sequence[str]) -> None:
    if not isinstance(definition, Mapping) or not set(_SIDES) <= set(definition):
        raise FeatureError(f"Signature '{name}' needs a plus and a minus group; found {definition!r}.")
    for key in definition:
        if key not in known:
            raise FeatureError(f"Signature '{name}' has an unknown key '{key}'. {did_you_mean(str(key), list(known))}")


def _selection(name: str, side: str, values_of: object) -> Selection:
    if not isinstance(values_of, Mapping) or not values_of:
        raise FeatureError(
            f"Signature '{name}': {side} must map columns to values, such as {{phenotype: control}}; found {values_of!r}."
        )
    return {
        str(column): tuple(map(str, values)) if isinstance(values, list | tuple) else (str(values),)
        for column, values in values_of.items()
    }
