"""A sample sheet with canonical columns, made from the submitted samples by a recipe."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from responder_ml.cohort.geo.recipe import Form, Recipe, full_match, plain
from responder_ml.cohort.geo.series_matrix import Sample
from responder_ml.errors import FetchError, list_names


def sample_sheet(samples: Sequence[Sample], recipe: Recipe) -> pd.DataFrame:
    """Return one row per sample: ``sample`` (its accession), ``title``, the recipe's columns, then characteristics.

    Raises
    ------
    FetchError
        Samples that no form of the recipe fits, or words it does not know; all are reported at once.
    """
    rows, unknown = [], []
    for sample in samples:
        described = _described(sample, recipe.forms)
        if described is None:
            unknown.append(f"{sample.accession} '{sample.title}'")
            continue
        rows.append((sample, described))
    if unknown:
        raise FetchError(
            f"{len(unknown)} of {len(samples)} samples of {recipe.series} fit no form of the recipe: "
            f"{list_names(unknown, 10, '')}. Correct or add a form with `--recipe FILE`."
        )
    columns = [_in_canonical_words(described, recipe) for _, described in rows]
    _refuse_unknown_words([words for _, words in columns], recipe)
    taken = {"sample", "title", *(name for cells, _ in columns for name in cells), *recipe.fixed}
    sheet = [
        {
            "sample": sample.accession,
            "title": sample.title,
            **cells,
            **recipe.fixed,
            **{_column(name): value for name, value in sample.characteristics.items() if _column(name) not in taken},
        }
        for (sample, _), (cells, _) in zip(rows, columns, strict=True)
    ]
    table = pd.DataFrame(sheet).fillna("")
    if recipe.subject != "unknown":
        table = _with_subject(table, recipe)
    return table


def _described(sample: Sample, forms: Sequence[Form]) -> dict[str, str] | None:
    """Return the columns of the first form that fits, or None if no form fits; without forms there are no columns."""
    if not forms:
        return {}
    for form in forms:
        if form.pattern is not None:
            match = full_match(form.pattern, sample.field(form.field).strip())
            if match:
                return {name: value or "" for name, value in match.groupdict().items()}
        else:
            cells = {column: sample.field(name) for column, name in form.columns.items()}
            if all(cells.values()):
                return cells
    return None


def _in_canonical_words(cells: Mapping[str, str], recipe: Recipe) -> tuple[dict[str, str], list[str]]:
    """Return the cells in canonical words, and those the recipe has no word for."""
    canonical, unknown = {}, []
    for column, cell in cells.items():
        words = recipe.words.get(column)
        if words is None or not cell:
            canonical[column] = cell
            continue
        known = {plain(spelling): name for name, spellings in words.items() for spelling in (name, *spellings)}
        if plain(cell) not in known:
            unknown.append(f"{column} '{cell}'")
        canonical[column] = known.get(plain(cell), "")
    return canonical, unknown


def _refuse_unknown_words(words_of_samples: Sequence[Sequence[str]], recipe: Recipe) -> None:
    unknown = sorted({word for words in words_of_samples for word in words})
    if unknown:
        raise FetchError(
            f"The recipe of {recipe.series} has no canonical word for: {list_names(unknown, 20, '')}. Add them under `words` "
            "with `--recipe FILE`."
        )


def _with_subject(table: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    column = recipe.subject if recipe.subject in table else _column(recipe.subject)
    if column not in table:
        raise FetchError(
            f"The recipe of {recipe.series} takes subjects from '{recipe.subject}', which no sample has. The columns are: "
            f"{', '.join(map(str, table.columns))}. Correct `subject`, or set it to `unknown`."
        )
    return table.assign(subject=table[column])


def _column(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")
