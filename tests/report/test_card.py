import re

from responder_ml.report.card import escape, render_card


def test_the_card_says_what_matters(typical_run):
    card = render_card(typical_run)
    headline, null = typical_run.result.headline, typical_run.result.null
    low, high = headline.auroc_ci
    assert card.startswith("# Model card: pfc-response\n\n**Simulated data")
    assert f"| AUROC | {headline.auroc:.2f} (95 % interval {low:.2f} to {high:.2f}) |" in card
    assert f"p = {null.p_value:.2g}" in card
    assert "discrimination of a state, not prognosis" in card
    assert "python -m responder_ml score BUNDLE EXPRESSION" in card
    for heading in ("Intended use", "Data", "Performance", "Model", "Limits", "How to score new samples"):
        assert f"\n## {heading}\n" in card
    assert "\n\n\n" not in card


def test_tables_are_whole(any_run):
    rows = re.findall(r"^\|.*$", render_card(any_run), flags=re.M)
    assert rows[1] == "|---|---|"
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in rows)


def test_nothing_was_run(no_null_run, underpowered_run):
    assert "| under relabelled subjects | not run |" in render_card(no_null_run)
    card = render_card(underpowered_run)
    assert "| AUROC | not estimated |" in card
    assert "No model was fitted." in card


def test_names_stay_text(awkward_run):
    card = render_card(awkward_run)
    assert "<script>" not in card
    assert "<img" not in card
    assert r"\_x\_" in card


def test_escape():
    assert escape("a|b_*c*\n<i>") == r"a\|b\_\*c\* &lt;i&gt;"
