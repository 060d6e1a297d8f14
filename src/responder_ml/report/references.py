"""Works the report cites, numbered in the order they are first cited."""

import re
from dataclasses import dataclass

from markupsafe import Markup

_DOI = re.compile(r"10\.\d{4,9}/[^\s;,]+")


@dataclass(frozen=True)
class Reference:
    """A work; ``doi`` is empty where it has none."""

    text: str
    doi: str = ""

    @property
    def link(self) -> Markup:
        """The work with its DOI as a link, or without."""
        if not self.doi:
            return Markup("{}").format(self.text)
        address = f"https://doi.org/{self.doi}"
        anchor = Markup('<a href="{}" target="_blank" rel="noopener noreferrer">doi:{}</a>').format(address, self.doi)
        return Markup("{} {}").format(self.text, anchor)


def of_registry(name: str, reference: str) -> Reference:
    """Return what a registered class declares as its ``reference``; its DOI becomes a link.

    Parameters
    ----------
    name
        What the reference is for.
    reference
        Such as ``doi:10.2202/1544-6115.1027``.
    """
    match = _DOI.search(reference)
    if match is None:
        return Reference(f"{name}: {reference}")
    return Reference(f"{name}:", match[0].rstrip(".)"))


WORKS = {
    "ambroise": Reference("Ambroise C, McLachlan GJ (2002). Selection bias in gene extraction.", "10.1073/pnas.102102699"),
    "log_cpm": Reference("Law CW et al. (2014). voom.", "10.1186/gb-2014-15-2-r29"),
    "tmm": Reference("Robinson MD, Oshlack A (2010). A scaling normalization method.", "10.1186/gb-2010-11-3-r25"),
    "varma": Reference("Varma S, Simon R (2006). Bias in error estimation.", "10.1186/1471-2105-7-91"),
    "optuna": Reference("Akiba T et al. (2019). Optuna.", "10.1145/3292500.3330701"),
    "ojala": Reference("Ojala M, Garriga GC (2010). Permutation tests for studying classifier performance. JMLR 11:1833-1863."),
    "berrett": Reference(
        "Berrett TB, Wang Y, Barber RF, Samworth RJ (2020). The conditional permutation test for independence while controlling "
        "for confounders.",
        "10.1111/rssb.12340",
    ),
    "phipson": Reference("Phipson B, Smyth GK (2010). Permutation p-values should never be zero.", "10.2202/1544-6115.1585"),
    "lai": Reference("Lai TL (1976). On confidence sequences.", "10.1214/aos/1176343406"),
    "besag": Reference("Besag J, Clifford P (1991). Sequential Monte Carlo p-values.", "10.1093/biomet/78.2.301"),
    "nadeau": Reference(
        "Nadeau C, Bengio Y (2003). Inference for the generalization error.", "10.1023/A:1024068626366"
    ),
    "newcombe": Reference("Newcombe RG (2006). Intervals for the Mann-Whitney statistic, part 2.", "10.1002/sim.2324"),
    "airola": Reference("Airola A et al. (2011). Cross-validation for the area under the ROC curve.", "10.1016/j.csda.2010.11.018"),
    "davis": Reference("Davis J, Goadrich M (2006). Precision-recall and ROC curves.", "10.1145/1143844.1143874"),
    "chicco": Reference("Chicco D, Jurman G (2020). The Matthews correlation coefficient.", "10.1186/s12864-019-6413-7"),
    "cox": Reference("Cox DR (1958). Two further applications of a model for binary regression.", "10.1093/biomet/45.3-4.562"),
    "wilson": Reference("Wilson EB (1927). Probable inference.", "10.1080/01621459.1927.10502953"),
    "venet": Reference("Venet D, Dumont JE, Detours V (2011). Random gene expression signatures.", "10.1371/journal.pcbi.1002240"),
    "szekely": Reference("Szekely GJ, Rizzo ML (2013). Energy statistics.", "10.1016/j.jspi.2013.03.018"),
    "shap": Reference("Lundberg SM, Lee S-I (2017). Interpreting model predictions.", "10.48550/arXiv.1705.07874"),
    "tree_shap": Reference("Lundberg SM et al. (2020). Explanations for trees.", "10.1038/s42256-019-0138-9"),
    "harrell": Reference(
        "Harrell FE, Lee KL, Mark DB (1996). Multivariable prognostic models.",
        "10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4",
    ),
    "hand": Reference("Hand DJ, Till RJ (2001). The AUROC of several classes.", "10.1023/A:1010920819831"),
    "marcus": Reference("Marcus R, Peritz E, Gabriel KR (1976). On closed testing procedures.", "10.1093/biomet/63.3.655"),
    "wu": Reference("Wu TF, Lin CJ, Weng RC (2004). Probabilities by pairwise coupling. JMLR 5:975-1005."),
    "westfall": Reference("Westfall PH, Young SS (1993). Resampling-based multiple testing. Wiley."),
    "nogueira": Reference("Nogueira S, Sechidis K, Brown G (2018). Stability of feature selection. JMLR 18(174):1-54."),
    "kapoor": Reference("Kapoor S, Narayanan A (2023). Leakage and the reproducibility crisis.", "10.1016/j.patter.2023.100804"),
    "reforms": Reference("Kapoor S et al. (2024). REFORMS.", "10.1126/sciadv.adk3452"),
    "probast_ai": Reference("Moons KGM et al. (2025). PROBAST+AI.", "10.1136/bmj-2024-082505"),
    "tripod_ai": Reference("Collins GS et al. (2024). TRIPOD+AI.", "10.1136/bmj-2023-078378"),
    "dome": Reference("Walsh I et al. (2021). DOME.", "10.1038/s41592-021-01205-4"),
}  # fmt: skip


class Bibliography:
    """Numbers works as they are cited."""

    def __init__(self) -> None:
        self._cited: list[Reference] = []

    def cite(self, work: str | Reference) -> Markup:
        """Return the number of a work, as a link to the list."""
        reference = WORKS[work] if isinstance(work, str) else work
        if reference not in self._cited:
            self._cited.append(reference)
        number = self._cited.index(reference) + 1
        return Markup('<a href="#reference-{}">[{}]</a>').format(number, number)

    @property
    def cited(self) -> tuple[Reference, ...]:
        """Works cited so far, in order."""
        return tuple(self._cited)
