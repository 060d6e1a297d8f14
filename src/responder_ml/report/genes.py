"""Contributions of genes, modules and signatures to held-out predictions, and the stability of the chosen genes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from responder_ml.records.run import Run
from responder_ml.report.cohort import as_text, is_category
from responder_ml.report.figures.beeswarm import MOST_DOTS, beeswarm
from responder_ml.report.figures.gene_bars import gene_bars
from responder_ml.report.figures.heat_map import Tile, Track, heat_map
from responder_ml.report.figures.repeat_scores import repeat_scores, selection
from responder_ml.report.section import Section, table
from responder_ml.report.words import spoken
from responder_ml.search.candidate import AUTO

_BARS = 20
_SWARMS = 12
_TABLE = 40
_MODULES = 12
# Names a sentence can hold; the rest are in the table.
_NAMED = 12
# More samples than this are averaged in neighbouring groups, so that a tile stays visible.
_MOST_COLUMNS = 60
_TRACKS = ("region", "phenotype", "drug", "batch", "sex")
_MOST_CATEGORIES = 8
_MOST_USED = 20


class Genes(Section):
    """The leading genes, modules and signatures, with bars, a beeswarm and a heat map."""

    title = "Genes: contributions to held-out predictions"
    anchor = "genes"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return the leading genes and three figures."""
        genes = _called_out_first(table(run, "genes"))
        used = len(genes)
        genes = genes[genes["contribution"] > 0]
        if genes.empty:
            return "No gene contributed to a held-out prediction, or nothing was trained."
        endpoint = run.result.endpoint
        positive, negative = spoken(endpoint.positive), spoken(endpoint.negative)
        points = _labelled(run)
        leading = list(genes["gene"].head(_BARS))
        swarmed = [gene for gene in leading if gene in set(points["gene"])][:_SWARMS]
        heat, tracks, averaged = _heat_map(run, points, leading)
        return {
            "rows": genes.head(_TABLE).to_dict("records"),
            "total": used,
            "called": list(genes.loc[genes["called_out"] == 1, "gene"]),
            "supported": "strength" in genes.columns,
            "alpha": run.config.get("null", {}).get("alpha", 0.05),
            "compared": _compared(genes),
            "whole_p": run.result.null and run.result.null.p_value,
            "confounded": run.result.verdict.level in ("confounded", "not_separable"),
            "positive": positive,
            "negative": negative,
            "n": run.result.n,
            "bars": gene_bars(genes.head(_BARS), positive, negative),
            "swarm": beeswarm(points, swarmed, positive, negative) if swarmed else None,
            "thinned": run.result.n.samples > MOST_DOTS,
            "most_dots": MOST_DOTS,
            "heat": heat,
            "tracks": tracks,
            "averaged": averaged,
            "most_named": _NAMED,
            **_modules(run, positive, negative),
            **_signatures(run, positive, negative),
        }


def _called_out_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Return genes or modules, those called out by strength and then the others by contribution."""
    strength = rows["strength"].where(rows["called_out"] == 1, 0.0) if "strength" in rows.columns else 0.0
    return rows.assign(_first=strength).sort_values(
        ["_first", "contribution", "gene"], ascending=[False, False, True], ignore_index=True
    )


def _compared(rows: pd.DataFrame) -> bool:
    # Runs written before strength was recorded were compared by another quantity, which is not drawn any more.
    return "strength" in rows.columns and bool(rows["null_high"].notna().any())


def _modules(run: Run, positive: str, negative: str) -> Mapping[str, Any]:
    """Return the leading modules, each named by its leading gene and how many others it has."""
    modules = table(run, "modules")
    modules = modules[modules["contribution"] > 0]
    if modules.empty:
        return {"modules": []}
    others = (modules["n_genes"] - 1).astype(int).astype(str)
    modules = _called_out_first(modules.assign(gene=modules["module"].astype(str) + " +" + others))
    shown = modules.head(_MODULES)
    return {
        "modules": shown.to_dict("records"),
        "modules_total": len(modules),
        "least": modules["weakest_correlation"].min(),
        "modules_called": list(modules.loc[modules["called_out"] == 1, "gene"]),
        "modules_compared": _compared(modules),
        "module_bars": gene_bars(shown, positive, negative, "module-bars"),
    }


def _signatures(run: Run, positive: str, negative: str) -> Mapping[str, Any]:
    """Return the leading signatures; nothing is called out among them."""
    rows = table(run, "signatures")
    rows = rows[rows["contribution"] > 0]
    if rows.empty:
        return {"signatures": []}
    shown = rows.head(_MODULES)
    drawn = shown.assign(gene=shown["signature"], called_out=0)
    return {
        "signatures": shown.to_dict("records"),
        "signatures_total": len(rows),
        "signature_bars": gene_bars(drawn, positive, negative, "signature-bars"),
    }


def _labelled(run: Run) -> pd.DataFrame:
    """Return contributions with each sample's class and its mean held-out log-odds."""
    points, rows = table(run, "contributions"), table(run, "out_of_fold")
    rows = rows[rows["candidate"] == AUTO]
    by_sample = rows.groupby("sample").agg(label=("label", "first"), log_odds=("log_odds", "mean")).reset_index()
    return points.merge(by_sample, on="sample", how="inner")


def _heat_map(run: Run, points: pd.DataFrame, leading: list[str]) -> tuple[Markup | None, list[Track], int]:
    """Return the figure, its tracks and how many samples share a column at most."""
    shown = points[points["gene"].isin(leading)]
    if shown.empty:
        return None, [], 1
    samples = shown.drop_duplicates("sample").sort_values(
        ["label", "log_odds", "sample"], ascending=[False, False, True], ignore_index=True
    )
    wide = shown.pivot(index="gene", columns="sample", values="expression")
    genes = [gene for gene in leading if gene in wide.index]
    values = wide.loc[genes, samples["sample"]].to_numpy(dtype=np.float64)
    parts = _columns(samples["label"].to_numpy(), _MOST_COLUMNS)
    largest = max(len(part) for part in parts)
    tile = Tile(
        np.column_stack([values[:, part].mean(axis=1) for part in parts]),
        genes,
        list(samples["sample"]) if largest == 1 else [],
        sum(bool(samples["label"].iloc[part[0]]) for part in parts),
    )
    tracks = _tracks(run, samples, parts) if largest == 1 else _tracks(run, samples, parts)[:1]
    endpoint = run.result.endpoint
    alt = (
        f"Heat map of {len(genes)} genes by {len(samples)} samples, {spoken(endpoint.positive)} first, under tracks for "
        f"{', '.join(track.name for track in tracks)}."
    )
    return heat_map(tile, tracks, alt), tracks, largest


def _columns(labels: Any, most: int) -> list[Any]:
    """Cut sorted samples into columns of one class each, single samples where they are few."""
    if len(labels) <= most:
        return [np.array([index]) for index in range(len(labels))]
    parts = []
    for label in (1, 0):
        members = np.flatnonzero(labels == label)
        parts += [
            part for part in np.array_split(members, max(round(most * len(members) / len(labels)), 1)) if len(part)
        ]
    return parts


def _tracks(run: Run, samples: pd.DataFrame, parts: list[Any]) -> list[Track]:
    endpoint = run.result.endpoint
    first = [part[0] for part in parts]
    classes = (spoken(endpoint.positive), spoken(endpoint.negative))
    tracks = [Track(endpoint.column, 1 - samples["label"].to_numpy(dtype=np.intp)[first], classes)]
    sheet = table(run, "samples").drop_duplicates("sample").set_index("sample").reindex(samples["sample"])
    for name in dict.fromkeys([*endpoint.strata, *endpoint.nuisance, *_TRACKS]):
        if name == endpoint.column or name not in sheet.columns or not is_category(run, name, sheet[name]):
            continue
        codes, values = pd.factorize(as_text(sheet[name]), sort=True)
        if 1 < len(values) <= _MOST_CATEGORIES:
            taken = sum(len(track.values) for track in tracks)
            tracks.append(Track(name, codes[first], tuple(map(str, values)), taken))
    return tracks


class Stability(Section):
    """Agreement of gene choices, and of scores, over outer models."""

    title = "Stability: agreement over splits of the same subjects"
    anchor = "stability"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return stability with its figures."""
        folds = table(run, "folds")
        auto = folds[folds["candidate"] == AUTO]
        genes = table(run, "genes").dropna(subset=["selection_frequency"])
        if auto.empty and genes.empty:
            return "Nothing was trained, so stability cannot be estimated."
        most = genes.sort_values(["selection_frequency", "contribution"], ascending=False, kind="stable").head(
            _MOST_USED
        )
        lengths = auto["n_features"].dropna()
        return {
            "stability": run.result.stability,
            "models": len(auto),
            "repeats": int(auto["repeat"].nunique()),
            "lengths": (lengths.median(), lengths.min(), lengths.max()) if len(lengths) else None,
            "always": int((genes["selection_frequency"] >= 1).sum()),
            "ever": len(genes),
            "selection": selection(most, len(auto)) if len(most) else None,
            "scores": repeat_scores(auto) if auto["auroc"].notna().any() else None,
        }
