"""The page of the claims: the verdict on each claim, its figures, and every statistic beside its no-effect value."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.claim_tests import LACKING, STATEMENTS
from responder_ml.contrasts.claim_verdicts import HEADLINES
from responder_ml.contrasts.claims_record import ClaimsRecord
from responder_ml.contrasts.founding_claims import CLAIMS, SUMMARIES
from responder_ml.contrasts.groups import NON_RESPONDER, RESPONDER
from responder_ml.contrasts.region_maps import RegionMap
from responder_ml.contrasts.region_ranks import RANKED
from responder_ml.errors import ContrastError
from responder_ml.report.figures.claim_estimates import EstimateRow, claim_estimates
from responder_ml.report.figures.forest import ClaimRow, claim_rows
from responder_ml.report.figures.null_distribution import null_distribution
from responder_ml.report.figures.rrho2_map import rrho2_map
from responder_ml.report.references import Bibliography, Reference
from responder_ml.report.template import render

LEVELS = {
    "consistent": "consistent",
    "not_shown": "not shown",
    "out_of_reach": "out of reach",
    "too_few_animals": "too few animals",
    "contradicted": "contradicted",
    "not_asked": "not asked",
}
_BAGOT = Reference("Bagot RC et al. (2017). Biol Psychiatry 81:285-295.", "10.1016/j.biopsych.2016.06.012")
_RRHO2 = Reference("Cahill KM et al. (2018). RRHO2.", "10.1038/s41598-018-27903-2")
_SMYTH = Reference("Smyth GK (2004). Moderated t.", "10.2202/1544-6115.1027")
_GENAS = Reference("Majewski IJ et al. (2010). Contrasts that share a group.", "10.1182/blood-2009-12-260760")
_CHEN = Reference("Chen SX, Qin YL (2010). Products of different animals.", "10.1214/09-AOS716")
_BERGER = Reference("Berger RL (1982). Intersection-union tests.", "10.1080/00401706.1982.10487790")
_OVERVIEW = (
    ("R4", "reversal_share", "susceptible-specific genes moved back, share"),
    ("R5", "induction_share", "resilient-specific genes moved the resilient way, share"),
)


_ESTIMATES: Mapping[str, tuple[str, tuple[float, float], float]] = {
    "R2": ("size of the stress change, residual standard deviations", (0.0, 1.5), 0.0),
    "R3": ("correlation of the true changes by the two drugs in responders", (-1.0, 1.0), 0.0),
    "R4": ("share of the stress change undone in responders", (-1.0, 2.0), 0.0),
    "R5": ("share of the resilient animals' own change gained by responders", (-1.0, 2.0), 0.0),
    "R6a": ("share of the responders' change absent in non-responders", (-1.0, 1.0), 1.0 - LACKING),
    "R6b": ("share of the non-responders' change that is their own", (-1.0, 2.0), 0.0),
    "R6c": ("correlation of the true changes of responders and non-responders (the claim: below 0)", (-1.0, 1.0), 0.0),
    "R7": ("share of a drug's change that is its own, the smaller of two", (-1.0, 2.0), 0.0),
}
"""Axis of each claim's figure: label, ends and the border of the claim."""


def render_claims(record: ClaimsRecord) -> str:
    """Return the page as HTML; it needs no other file."""
    works = Bibliography()
    for work in (_BAGOT, _GENAS, _SMYTH, _RRHO2, "phipson", _CHEN, _BERGER):
        works.cite(work)
    return render("claims.html", {
        "name": record.name,
        "simulated": record.simulated,
        "regions": record.regions,
        "verdicts": [
            {"verdict": verdict, "statement": CLAIMS[verdict.claim], "word": LEVELS[verdict.level]}
            for verdict in record.verdicts
        ],
        "nulls": _nulls(record),
        "overview": [
            _overview(record, claim, statistic, words)
            for claim, statistic, words in _OVERVIEW
            if _lines(record, statistic)
        ],
        "estimates": _estimates(record),
        "summary": _summary(record),
        "statements": [{"claim": claim, "tested": STATEMENTS[claim]} for claim in HEADLINES],
        "maps": _maps(record),
        "ranks": _ranks(record),
        "tables": _tables(record),
        "alpha": record.settings["alpha"],
        "timing": describe_timing(record.settings.get("cohort", {}).get("taken", "unknown")),
        "notes": record.notes,
        "works": works,
    })  # fmt: skip


def _lines(record: ClaimsRecord, statistic: str, *arms: str) -> list[ClaimResult]:
    return [line for line in record.results if line.statistic == statistic and (not arms or line.arm in arms)]


def _nulls(record: ClaimsRecord) -> list[dict[str, Any]]:
    """Draw reversal against its null in the first region, once for each drug."""
    first = record.regions[0].name
    lines = [
        line for line in _lines(record, "reversal_share", RESPONDER) if line.region == first and "+" not in line.drug
    ]
    figures = []
    for index, line in enumerate(lines):
        values = np.asarray(line.null_values, dtype=np.float64)
        reaching = int(np.sum(values >= line.observed - 1e-9))
        figure = null_distribution(
            f"null-{index}", values, reaching, line.observed, float(line.expected_no_effect or 0.0),
            words="susceptible-specific genes moved back, share",
        )  # fmt: skip
        figures.append({"line": line, "figure": figure, "count": len(values)})
    return figures


def _row(name: str, line: ClaimResult, *, solid: bool) -> ClaimRow:
    values = line.observed if line.null_values is None else line.null_values
    low, high = np.quantile(np.asarray(values, dtype=np.float64), [0.025, 0.975])
    return ClaimRow(
        name,
        line.observed,
        float(line.expected_no_effect or 0.0),
        null_low=float(low),
        null_high=float(high),
        solid=solid,
    )


def _overview(record: ClaimsRecord, claim: str, statistic: str, words: str) -> dict[str, Any]:
    """Draw both drugs in every region, responders above non-responders."""
    lines = [line for line in _lines(record, statistic, RESPONDER, NON_RESPONDER) if "+" not in line.drug]
    rows = [_row(f"{line.region} {line.drug}", line, solid=line.arm == RESPONDER) for line in lines]
    summary = "; ".join(
        f"{line.region} {line.drug} {line.arm.replace('_', '-')}s {line.observed:.2f} ({line.expected_no_effect or 0:.2f} expected)"
        for line in lines
    )
    figure = claim_rows(
        f"overview-{claim}", _by_name(rows), (words, "responders", "non-responders"), f"{CLAIMS[claim]} {summary}."
    )
    return {"claim": claim, "statement": CLAIMS[claim], "figure": figure}


def claim_figure(record: ClaimsRecord, claim: str) -> Markup:
    """Return the figure of a claim by drug and region.

    Raises
    ------
    ContrastError
        There is no figure of this claim, or these animals cannot answer it.
    """
    drawn = {name: (statistic, words) for name, statistic, words in _OVERVIEW if _lines(record, statistic)}
    if claim not in drawn:
        raise ContrastError(f"There is no figure of the claim '{claim}'. There is one of {', '.join(drawn) or 'none'}.")
    figure: Markup = _overview(record, claim, *drawn[claim])["figure"]
    return figure


def _by_name(rows: Sequence[ClaimRow]) -> list[ClaimRow]:
    """Bring the rows of one name together, without changing the order of names."""
    names = list(dict.fromkeys(row.name for row in rows))
    return sorted(rows, key=lambda row: names.index(row.name))


def _estimates(record: ClaimsRecord) -> list[dict[str, Any]]:
    """Draw every claim's estimate in every region, beside the value that shared animals make of it."""
    drawn = []
    for claim, (label, limits, border) in _ESTIMATES.items():
        lines = [line for line in record.headlines[claim] if line.with_shared_animals is not None]
        if not lines:
            continue
        rows = [
            EstimateRow(line.region, line.observed, line.interval, line.with_shared_animals or 0.0) for line in lines
        ]
        alt = f"{CLAIMS[claim]} {'; '.join(map(str, rows))}."
        drawn.append({
            "claim": claim,
            "statement": CLAIMS[claim],
            "figure": claim_estimates(f"estimate-{claim}", rows, label, limits, border, alt),
        })  # fmt: skip
    return drawn


def _summary(record: ClaimsRecord) -> str:
    """Say in one sentence how many claims have which verdict."""
    counts = {
        word: [verdict.claim for verdict in record.verdicts if verdict.level == level] for level, word in LEVELS.items()
    }
    parts = [f"{word}: {', '.join(codes)}" for word, codes in counts.items() if codes]
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _maps(record: ClaimsRecord) -> list[dict[str, Any]]:
    """Draw every region's maps on one scale."""
    largest = max(
        (max(region_map.values.concordant, region_map.values.discordant) for region_map in record.maps), default=0.0
    )
    groups: dict[str, list[dict[str, Any]]] = {}
    for index, region_map in enumerate(record.maps):
        values = region_map.values
        quadrants = (values.up_up, values.up_down, values.down_up, values.down_down)
        words = f"RRHO2 map of {region_map.first} and {region_map.second}, {region_map.region}."
        figure = rrho2_map(
            f"map-{index}", quadrants, (region_map.first, region_map.second), largest,
            f"{words} Largest overlap where they agree {values.concordant:.0f}, where they oppose {values.discordant:.0f}.",
        )  # fmt: skip
        groups.setdefault(region_map.region, []).append(
            {"map": region_map, "figure": figure, **_line_of(record, region_map)}
        )
    return [{"region": region, "maps": maps} for region, maps in groups.items()]


def _line_of(record: ClaimsRecord, region_map: RegionMap) -> dict[str, Any]:
    """Return the line of the table that tests what a map shows, and its meaning."""
    drugs = [name.split(" ")[0] for name in (region_map.first, region_map.second) if RESPONDER in name]
    statistic, drug = ("common_rrho2", "+".join(drugs)) if len(drugs) == 2 else ("reversal_rrho2", drugs[0])
    lines = [
        line for line in _lines(record, statistic, RESPONDER) if line.region == region_map.region and line.drug == drug
    ]
    return {"line": lines[0] if lines else None, "meaning": SUMMARIES[statistic]}


def _ranks(record: ClaimsRecord) -> list[dict[str, Any]]:
    tables = []
    for claim in RANKED:
        headlines = {(line.statistic, line.drug, line.arm) for line in record.headlines[claim]}
        rows = [
            rank for rank in record.ranks if rank.claim == claim and (rank.statistic, rank.drug, rank.arm) in headlines
        ]
        if rows:
            tables.append(
                {"claim": claim, "statement": CLAIMS[claim], "rows": rows, "meaning": SUMMARIES[rows[0].statistic]}
            )
    return tables


def _tables(record: ClaimsRecord) -> list[dict[str, Any]]:
    """Return every line by region, those without a region first; headline lines are marked."""
    leading = {id(line) for lines in record.headlines.values() for line in lines}
    names = list(dict.fromkeys(line.region for line in record.results))
    return [
        {
            "region": name,
            "rows": [
                {"line": line, "lead": id(line) in leading, "meaning": SUMMARIES[line.statistic]}
                for line in record.results
                if line.region == name
            ],
        }
        for name in names
    ]
