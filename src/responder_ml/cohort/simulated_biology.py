"""The genes of a simulated mouse: baselines, correlated modules and the programmes planted among them.

Everything here depends on the biology's own seed alone, so cohorts of different seeds share one biology: a model
trained on one can be tested on another.
"""

from dataclasses import dataclass, field

import numpy as np

from responder_ml.arrays import Floats, Indices, Strings
from responder_ml.statistics.seeds import generator

REGIONS = ("PFC", "NAc", "AMY", "HIP")
DRUGS = ("imipramine", "ketamine")

STATE_PROGRAMMES = ("susceptibility", "resilience", "non_response")
DRUG_PROGRAMMES = tuple(f"{drug}_{region}" for drug in DRUGS for region in REGIONS)
PROGRAMMES = (*STATE_PROGRAMMES, *DRUG_PROGRAMMES)

# With two halves of each programme, the modules below and the three of marker genes, there are 60 modules.
_PLAIN_MODULES = 35

# Share of all genes in one half (up or down) of a programme, and in a module.
_STATE_SHARE, _DRUG_SHARE, _MODULE_SHARE = 0.005, 0.01, 0.007
# Mean absolute log2 fold change of a programme's genes where its score is 1.
_STATE_SIZE, _DRUG_SIZE, _MODULE_SIZE = 0.42, 0.60, 0.40

# Real mouse symbols: baseline log2 CPM. All animals are male, so Xist is silent and the Y genes are not.
_MARKERS = {
    "Xist": -5.0, "Ddx3y": 5.2, "Kdm5d": 3.9, "Uty": 3.2, "Eif2s3y": 4.6,
    "Snap25": 10.4, "Rbfox3": 6.8, "Slc17a7": 8.0, "Gad1": 6.6, "Pvalb": 5.0, "Sst": 6.4,
    "Aqp4": 6.1, "Gfap": 6.6, "Mbp": 9.6, "Plp1": 9.4, "Pdgfra": 4.6, "Cx3cr1": 5.2, "P2ry12": 4.8, "Cldn5": 5.0,
    "Drd1": 3.0, "Drd2": 2.2, "Adora2a": 1.6, "Ppp1r1b": 5.4, "Prox1": 2.6, "Zbtb20": 6.0, "Tbr1": 3.4, "Satb2": 4.0,
    "Fos": 4.4, "Arc": 6.0, "Egr1": 6.8, "Junb": 5.6, "Npas4": 2.8, "Dusp1": 4.8,
    "Ttr": 5.0, "Igf2": 2.6, "Kl": 1.6, "Hbb-bs": 6.4, "Hba-a1": 6.6, "Alas2": 2.2,
}  # fmt: skip
_REGION_MARKERS = {
    "NAc": {"Drd1": 4.0, "Drd2": 4.8, "Adora2a": 5.0, "Ppp1r1b": 3.4},
    "HIP": {"Prox1": 3.6, "Zbtb20": 1.6},
    "PFC": {"Tbr1": 2.6, "Satb2": 2.4},
    "AMY": {},
}
# Handling before the tissue was taken, and neighbouring tissue in the punch.
_MARKER_MODULES = {
    "early_response": {"Fos": 1.0, "Arc": 0.8, "Egr1": 0.6, "Junb": 0.6, "Npas4": 1.1, "Dusp1": 0.7},
    "choroid_plexus": {"Ttr": 1.5, "Igf2": 0.9, "Kl": 0.9},
    "blood": {"Hbb-bs": 0.9, "Hba-a1": 0.9, "Alas2": 0.8},
}
FEWEST_GENES = 300


@dataclass(frozen=True)
class Biology:
    """Gene-level truth; every effect is in log2 units.

    Attributes
    ----------
    genes
        Names, shape ``(n_genes,)``: a few real symbols, the rest invented.
    baseline
        Log2 CPM without any effect, ``(n_genes,)``.
    dispersion
        Biological variance of a gene's counts over its squared mean, ``(n_genes,)``.
    region_shift
        Change per region in the order of `REGIONS`, ``(n_regions, n_genes)``.
    programmes
        Change where a programme's score is 1, in the order of `PROGRAMMES`, ``(n_programmes, n_genes)``.
    modules
        Change where a module's factor is 1, ``(n_modules, n_genes)``; no module depends on any group.
    gene_sets
        Name: genes, of all planted halves and modules.
    """

    genes: Strings
    baseline: Floats = field(repr=False)
    dispersion: Floats = field(repr=False)
    region_shift: Floats = field(repr=False)
    programmes: Floats = field(repr=False)
    modules: Floats = field(repr=False)
    gene_sets: dict[str, list[str]] = field(repr=False)


def build_biology(n_genes: int, seed: int) -> Biology:
    """Draw the biology of ``n_genes`` genes.

    Parameters
    ----------
    n_genes
        At least `FEWEST_GENES`, so that every module holds three genes.
    seed
        Seed of the biology alone.
    """
    rng = generator(seed, "biology", n_genes)
    genes = np.array([*_MARKERS, *(f"Sim{index:05d}" for index in range(1, n_genes - len(_MARKERS) + 1))])
    baseline = _draw_baseline(rng, n_genes)
    column_of = {name: column for column, name in enumerate(_MARKERS)}
    # Only expressed genes carry a programme or module, each gene one at most.
    order = rng.permutation(np.flatnonzero(baseline > 0)[np.flatnonzero(baseline > 0) >= len(column_of)])
    drawer = _GeneDrawer(rng, order, n_genes)
    gene_sets: dict[str, list[str]] = {}
    programmes = np.zeros((len(PROGRAMMES), n_genes))
    for row, name in enumerate(PROGRAMMES):
        is_state = name in STATE_PROGRAMMES
        share, size = (_STATE_SHARE, _STATE_SIZE) if is_state else (_DRUG_SHARE, _DRUG_SIZE)
        for sign, half in ((1.0, "UP"), (-1.0, "DN")):
            members = drawer.take(share)
            programmes[row, members] = sign * drawer.sizes(len(members), size)
            gene_sets[f"SIM_{name.upper()}_{half}"] = genes[members].tolist()
    modules = np.zeros((_PLAIN_MODULES + len(_MARKER_MODULES), n_genes))
    for row in range(_PLAIN_MODULES):
        members = drawer.take(_MODULE_SHARE)
        modules[row, members] = drawer.sizes(len(members), _MODULE_SIZE)
        gene_sets[f"SIM_MODULE_{row + 1:02d}"] = genes[members].tolist()
    for row, (name, loadings) in enumerate(_MARKER_MODULES.items(), start=_PLAIN_MODULES):
        for symbol, loading in loadings.items():
            modules[row, column_of[symbol]] = loading
        gene_sets[f"SIM_{name.upper()}"] = list(loadings)
    dispersion = np.exp(rng.normal(np.log(0.03), 0.5, n_genes))
    return Biology(genes, baseline, dispersion, _draw_regions(rng, column_of, n_genes), programmes, modules, gene_sets)


class _GeneDrawer:
    """Draws genes for programmes and modules, each gene once."""

    def __init__(self, rng: np.random.Generator, order: Indices, n_genes: int) -> None:
        self._rng, self._order, self._n_genes, self._used = rng, order, n_genes, 0

    def take(self, share: float) -> Indices:
        count = max(3, round(share * self._n_genes))
        members = self._order[self._used : self._used + count]
        self._used += count
        return np.sort(members)

    def sizes(self, count: int, mean: float) -> Floats:
        return self._rng.gamma(4.0, mean / 4.0, count)


def _draw_baseline(rng: np.random.Generator, n_genes: int) -> Floats:
    """Return log2 CPM: two thirds of the genes expressed as in brain, the rest near or at silence."""
    expressed = rng.random(n_genes) < 0.68
    baseline = np.where(expressed, rng.normal(4.2, 2.0, n_genes), rng.normal(-4.0, 2.2, n_genes))
    baseline[: len(_MARKERS)] = list(_MARKERS.values())
    return baseline


def _draw_regions(rng: np.random.Generator, column_of: dict[str, int], n_genes: int) -> Floats:
    """Return small differences everywhere and large ones in one gene of twelve; markers differ as they are known to."""
    shape = (len(REGIONS), n_genes)
    shift = rng.normal(0.0, 0.25, shape) + rng.normal(0.0, 1.2, shape) * (rng.random(shape) < 0.08)
    shift[:, : len(column_of)] *= 0.3
    for row, region in enumerate(REGIONS):
        for symbol, change in _REGION_MARKERS[region].items():
            shift[row, column_of[symbol]] = change
    return shift
