"""The page of a comparison: AUROC or concordance of runs and candidates, and their paired differences."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, legend_below
from responder_ml.report.figures.forest import Row, forest
from responder_ml.report.figures.palette import GRID, OBSERVED, REFERENCE_LINE
from responder_ml.report.numbers import is_missing, plain
from responder_ml.report.references import Bibliography, Reference
from responder_ml.report.template import render
from responder_ml.report.words import spoken
from responder_ml.search.candidate import AUTO

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = "Headlines (auto) across runs"
"""Title of the family of pairs of runs."""
_LONGEST_LINE = 24
# A difference is drawn solid where its p, corrected for the number of pairs, is below this.
_LEVEL = 0.05
_HOLM = Reference("Holm S (1979). A simple sequentially rejective multiple test procedure. Scand J Stat 6:65-70.")

MEASURES = {"auroc": "AUROC", "concordance": "concordance"}
"""What a leaderboard may rank by, in words."""
Rows = list[dict[Any, Any]]


def render_leaderboard(
    leaderboard: pd.DataFrame, pairs: pd.DataFrame, notes: Sequence[str], simulated: bool, measure: str = "auroc"
) -> str:
    """Return the page as HTML; it needs no other file.

    Parameters
    ----------
    leaderboard
        Rows from best to worst with run, where, question, positive and negative or else subjects, candidate, the measure with its
        interval, p_value and verdict.
    pairs
        first_run, first, second_run, second, difference, low, high, p_value, p_holm; may be empty.
    notes
        Sentences on what was tested and what was not.
    simulated
        Whether any run is of simulated data.
    measure
        What is ranked, a key of `MEASURES`.
    """
    works = Bibliography()
    works.cite("nadeau")
    works.cite(_HOLM)
    return render("leaderboard.html", {
        "runs": leaderboard["run"].drop_duplicates().tolist(),
        "rows": [
            {**row, "subjects": count_subjects(row), "value": row[measure], "interval": _interval(row, measure)}
            for row in leaderboard.to_dict("records")
        ],
        "measure": MEASURES[measure],
        "title": f"{MEASURES[measure][:1].upper()}{MEASURES[measure][1:]}",
        "learner": "classifier" if measure == "auroc" else "regressor",
        "figure": _leaderboard_figure(leaderboard.to_dict("records"), measure),
        "pairs": [
            {"title": title, "rows": rows, "figure": _differences_figure(f"pairs-{index}", title, rows, measure)}
            for index, (title, rows) in enumerate(families(pairs).items())
        ],
        "level": _LEVEL,
        "notes": notes,
        "works": works,
        "simulated": simulated,
    })  # fmt: skip


def families(pairs: pd.DataFrame) -> dict[str, Rows]:
    """Sort the pairs by what they compare, the candidates of each run or the runs, each pair with its two ``names``."""
    families: dict[str, Rows] = {}
    for row in pairs.to_dict("records"):
        within = row["first_run"] == row["second_run"]
        families.setdefault(f"Candidates of {row['first_run']}" if within else ACROSS, []).append(
            {
                **row,
                "names": (spoken(row["first"]), spoken(row["second"]))
                if within
                else (row["first_run"], row["second_run"]),
            }
        )
    return families


def count_subjects(row: Mapping[Any, Any]) -> str:
    """Return the numbers of subjects of a row, of both classes where there are classes."""
    return f"{row['positive']} and {row['negative']}" if "positive" in row else str(row["subjects"])


def _interval(row: Mapping[Any, Any], measure: str) -> tuple[Any, Any]:
    return row[f"{measure}_low"], row[f"{measure}_high"]


def _leaderboard_figure(rows: Rows, measure: str) -> Markup:
    several = len({row["run"] for row in rows}) > 1
    drawn = [
        Row(
            f"{row['run']}: {spoken(row['candidate'])}" if several else spoken(row["candidate"]),
            row[measure],
            *_interval(row, measure),
            leading=row["candidate"] == AUTO,
        )
        for row in rows
        if not is_missing(row[measure])
    ]
    word = MEASURES[measure]
    alt = f"{word} with 95 % intervals: " + "; ".join(f"{row.name} {row.value:.2f}" for row in drawn) + "."
    return forest("leaderboard", drawn, (f"{word}, 95 % interval", "auto (a run's headline)", "one candidate"), alt)


def _differences_figure(name: str, title: str, rows: Rows, measure: str) -> Markup:
    """Draw paired differences with their corrected intervals, one below another."""
    labels = [_label(*row["names"]) for row in rows]

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        heights = list(range(len(rows), 0, -1))
        for solid, text in ((True, f"p < {_LEVEL:g} after Holm"), (False, "no difference shown")):
            some = [(row, y) for row, y in zip(rows, heights, strict=True) if (row["p_holm"] < _LEVEL) is solid]
            for row, y in some:
                if not is_missing(row["low"]):
                    axes.hlines([y], row["low"], row["high"], color=OBSERVED, linewidth=1.4)
            axes.plot(
                [row["difference"] for row, _ in some], [y for _, y in some], linestyle="none", marker="s" if solid else "o",
                markersize=6, color=OBSERVED, markerfacecolor=OBSERVED if solid else "white", label=text if some else None,
            )  # fmt: skip
        axes.axvline(0.0, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", label="no difference", zorder=0)
        axes.set_yticks(heights, labels)
        axes.set_ylim(0.4, len(rows) + 0.6)
        axes.set_xlim(*_limits(rows))
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_xlabel(f"{MEASURES[measure]}, first minus second;\ncorrected 95 % interval")
        legend_below(figure, axes, columns=2)

    lines = sum(label.count("\n") + 1.9 for label in labels)
    alt = f"{title}, difference in {MEASURES[measure]}: " + "; ".join(map(_in_words, rows)) + "."
    return figure_svg(name, (WIDTH, 1.35 + 0.165 * lines), alt, paint)


def _label(first: str, second: str) -> str:
    return "\n".join([*_lines(first), *_lines(f"− {second}")])


def _lines(name: str) -> list[str]:
    if len(name) <= _LONGEST_LINE:
        return [name]
    return [line.replace(" +", "+") for line in wrap(name.replace("+", " + "), _LONGEST_LINE, break_on_hyphens=False)]


def _limits(rows: Rows) -> tuple[float, float]:
    """Return limits that hold every interval and are the same on both sides of zero."""
    ends = [abs(row[key]) for row in rows for key in ("difference", "low", "high") if not is_missing(row[key])]
    widest = 1.08 * max([0.1, *ends])
    return -widest, widest


def _in_words(row: Mapping[Any, Any]) -> str:
    first, second = row["names"]
    return f"{first} minus {second} {plain(row['difference'])} ({plain(row['low'])} to {plain(row['high'])})"
