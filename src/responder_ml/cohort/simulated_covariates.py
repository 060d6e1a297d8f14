"""Age, sex and cages of simulated animals, and what they do to expression; none unless a cohort asks for it.

The numbers are invented: responders are older by a standard deviation and more often female, half of the genes follow age and the
other half sex, and mice that share phenotype and drug share cages of about three, each with a shift of its own in every gene.
"""

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats

_MEAN_AGE, _SD_AGE = 10.0, 1.5
_FEMALE_RESPONDERS, _FEMALE_OTHERS = 0.65, 0.35
# Log2 change per standard deviation of age, of sex, and the spread between cages, times the effect asked for.
_AGE_SD, _SEX_SD, _CAGE_SD = 0.35, 0.35, 0.30
_PER_CAGE = 3


def add_age_and_sex(rng: np.random.Generator, sheet: pd.DataFrame, n_genes: int, effect: float) -> Floats:
    """Write columns ``age`` (weeks) and ``sex``, one value per animal, and return their log2 shift, libraries x genes.

    Parameters
    ----------
    rng
        Source of every draw.
    sheet
        One row per library, with columns ``subject`` and ``response``; changed in place.
    n_genes
        Number of genes.
    effect
        Multiplies the shifts; with 0 nothing is written, drawn or shifted.
    """
    if effect == 0:
        return np.zeros((len(sheet), n_genes))
    animal, names = pd.factorize(sheet["subject"], sort=True)
    responds = np.zeros(len(names), dtype=bool)
    responds[animal] = (sheet["response"] == "responder").to_numpy()
    age = rng.normal(0.0, 1.0, len(names)) + np.where(responds, 1.0, 0.0)
    female = rng.random(len(names)) < np.where(responds, _FEMALE_RESPONDERS, _FEMALE_OTHERS)
    sheet["age"] = np.round(_MEAN_AGE + _SD_AGE * age, 1)[animal]
    sheet["sex"] = np.where(female, "female", "male")[animal]
    follows_age = np.arange(n_genes) % 2 == 0
    of_age = np.where(follows_age, rng.normal(0.0, _AGE_SD, n_genes), 0.0)
    of_sex = np.where(follows_age, 0.0, rng.normal(0.0, _SEX_SD, n_genes))
    shift = np.outer(age, of_age) + np.outer(female, of_sex)
    return np.asarray(effect * shift[animal], dtype=np.float64)


def add_cages(rng: np.random.Generator, sheet: pd.DataFrame, n_genes: int, effect: float) -> Floats:
    """Write a column ``cage``, mice of one phenotype and drug together, and return its log2 shift, libraries x genes.

    Parameters
    ----------
    rng, sheet, n_genes
        As for `add_age_and_sex`.
    effect
        Multiplies the shift; with 0 nothing is written, drawn or shifted.
    """
    if effect == 0:
        return np.zeros((len(sheet), n_genes))
    animals = sheet.drop_duplicates("subject").sort_values("subject")
    group = (animals["phenotype"] + "/" + animals["drug"]).to_numpy()
    cage, first = np.empty(len(animals), dtype=np.intp), 0
    for name in sorted(set(group)):
        members = rng.permutation(np.flatnonzero(group == name))
        count = max(1, round(len(members) / _PER_CAGE))
        cage[members] = first + np.arange(len(members)) % count
        first += count
    of_subject = dict(zip(animals["subject"], cage.tolist(), strict=True))
    number = sheet["subject"].map(of_subject).to_numpy(dtype=np.intp)
    sheet["cage"] = [f"cage{one + 1:02d}" for one in number]
    return np.asarray(effect * rng.normal(0.0, _CAGE_SD, (first, n_genes))[number], dtype=np.float64)
