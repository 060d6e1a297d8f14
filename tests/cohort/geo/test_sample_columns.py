"""Titles and annotations to canonical columns; the founding study's forms give its exact group sizes."""

from itertools import count

import pandas as pd
import pytest

from responder_ml.cohort.geo.recipe import Recipe, find_recipe
from responder_ml.cohort.geo.sample_columns import sample_sheet
from responder_ml.cohort.geo.series_matrix import Sample
from responder_ml.errors import FetchError

FOUNDING = find_recipe("GSE81672")
GROUP = ["region", "phenotype", "drug", "response"]
# Per region: control, resilient, susceptible on saline, then responders and non-responders to both drugs.
CELLS = [
    ("control", "saline", "", 5), ("resilient", "saline", "", 4), ("susceptible", "saline", "", 3),
    ("susceptible", "imipramine", "responder", 3), ("susceptible", "imipramine", "non_responder", 4),
    ("susceptible", "ketamine", "responder", 3), ("susceptible", "ketamine", "non_responder", 3),
]  # fmt: skip


def _sample(title, number=1, **characteristics):
    words = {name.replace("_", " "): value for name, value in characteristics.items()}
    return Sample(f"GSM{number}", {"title": title}, words)


def _design():
    """Return the 99 cells of the design, one control of the hippocampus missing."""
    for region in ("AMY", "NAC", "PFC", "HIP"):
        for phenotype, drug, response, n in CELLS:
            for _ in range(n - (region == "HIP" and phenotype == "control")):
                yield region, phenotype, drug, response


def _titles(form):
    numbers = count(1)
    return [form(next(numbers), "_".join(part for part in cell if part)) for cell in _design()]


FORMS = {
    "GEO": lambda n, words: f"Sample {n}: {words}",
    "Gemma": lambda n, words: f"Sample{n}.{words}",
    "R": lambda n, words: f"Sample {n}. {words}",
    "case": lambda n, words: f"SAMPLE {n}: {words.upper()}",
}


@pytest.mark.parametrize("form", FORMS)
def test_all_99_titles_of_every_form_give_the_exact_group_sizes(form):
    samples = [_sample(title, n) for n, title in enumerate(_titles(FORMS[form]))]
    sheet = sample_sheet(samples, FOUNDING)
    assert len(sheet) == 99
    sizes = sheet.groupby(GROUP).size().to_dict()
    expected = pd.DataFrame(list(_design()), columns=GROUP).replace({"region": {"NAC": "NAc"}}).groupby(GROUP).size()
    assert sizes == expected.to_dict()
    assert sheet["response"].value_counts().to_dict() == {"": 47, "non_responder": 28, "responder": 24}
    assert sheet["drug"].value_counts().to_dict() == {"saline": 47, "imipramine": 28, "ketamine": 24}
    assert sheet["phenotype"].value_counts().to_dict() == {"susceptible": 64, "control": 19, "resilient": 16}
    assert sheet["region"].value_counts().to_dict() == {"AMY": 25, "NAc": 25, "PFC": 25, "HIP": 24}
    assert sheet["sample_number"].tolist() == [str(n + 1) for n in range(99)]
    assert "subject" not in sheet


def test_group_sizes_are_those_printed_of_the_real_data(shared_data):
    folder = shared_data / "gse81672_signatures"
    printed = pd.read_csv(folder / "gse81672_design_counts.tsv", sep="\t", keep_default_na=False)
    printed = printed.replace({"response": {"none": ""}, "region": {"NAC": "NAc"}})
    expected = printed.set_index(GROUP)["n"].to_dict()
    sheet = sample_sheet([_sample(title, n) for n, title in enumerate(_titles(FORMS["GEO"]))], FOUNDING)
    assert sheet.groupby(GROUP).size().to_dict() == expected


def test_titles_known_from_the_real_data_are_read(shared_data):
    known = pd.read_csv(
        shared_data / "gse81672_signatures" / "gse81672_known_sample_names.tsv", sep="\t", dtype=str
    ).fillna("")
    titles = [
        f"Sample {row['geo_sample_number']}: " + "_".join(cell for cell in row[GROUP] if cell)
        for _, row in known.iterrows()
    ]
    sheet = sample_sheet([_sample(title, n) for n, title in enumerate(titles)], FOUNDING)
    pd.testing.assert_frame_equal(sheet[GROUP], known[GROUP].replace({"region": {"NAC": "NAc"}}), check_dtype=False)


@pytest.mark.parametrize(
    ("part", "phenotype", "treatment", "expected"),
    [
        ("ventral,Ammon's horn", "susceptible toward,Responder", "imipramine", ("HIP", "susceptible", "imipramine", "responder")),
        ("nucleus accumbens", "Non-responder,susceptible toward", "ketamine", ("NAc", "susceptible", "ketamine", "non_responder")),
        ("basolateral amygdaloid complex", "resistant to", "reference substance role,saline", ("AMY", "resilient", "saline", "")),
        ("prefrontal cortex", "wild type genotype", "reference substance role,saline", ("PFC", "control", "saline", "")),
        ("prefrontal cortex", "susceptible toward", "saline,reference substance role", ("PFC", "susceptible", "saline", "")),
    ],
)  # fmt: skip
def test_gemmas_wordings_are_known(part, phenotype, treatment, expected):
    sample = _sample("GSE81672 sample", organism_part=part, phenotype=phenotype, treatment=treatment)
    assert tuple(sample_sheet([sample], FOUNDING).loc[0, GROUP]) == expected


def test_unknown_titles_are_all_named():
    samples = [
        _sample("Sample 1: PFC_control_saline"),
        _sample("mouse 7", 2),
        _sample("Sample 3: PFC_control_saline_x", 3),
    ]
    with pytest.raises(FetchError, match=r"2 of 3 samples .*GSM2 'mouse 7', GSM3 'Sample 3: PFC_control_saline_x'"):
        sample_sheet(samples, FOUNDING)


def test_unknown_words_are_all_named():
    with pytest.raises(FetchError, match="no canonical word for: region 'VTA', region 'VTX'"):
        sample_sheet([_sample("Sample 1: VTA_control_saline"), _sample("Sample 2: VTX_control_saline", 2)], FOUNDING)


def test_characteristics_are_columns_of_their_own_and_never_overwrite():
    sample = _sample("Sample 1: PFC_control_saline", Region="elsewhere", Age_at_death="8 weeks")
    sheet = sample_sheet([sample], FOUNDING)
    assert sheet.columns.tolist() == [
        "sample", "title", "sample_number", "region", "phenotype", "drug", "response", "species", "age_at_death",
    ]  # fmt: skip
    assert sheet.loc[0, "region"] == "PFC"


def test_without_forms_everything_is_taken_as_it_is():
    sheet = sample_sheet([_sample("a", 1, tissue="liver"), _sample("b", 2, sex="male")], Recipe(series="GSE1"))
    assert sheet.to_dict("records") == [
        {"sample": "GSM1", "title": "a", "tissue": "liver", "sex": ""},
        {"sample": "GSM2", "title": "b", "tissue": "", "sex": "male"},
    ]


def test_a_subject_is_taken_from_the_column_named():
    samples = [_sample("a", 1, animal_id="m1"), _sample("b", 2, animal_id="m1")]
    recipe = Recipe(series="GSE1", subject="animal id")
    assert sample_sheet(samples, recipe)["subject"].tolist() == ["m1", "m1"]
    with pytest.raises(FetchError, match="takes subjects from 'mouse', which no sample has"):
        sample_sheet(samples, Recipe(series="GSE1", subject="mouse"))
