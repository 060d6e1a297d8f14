from responder_ml.report.figures.claim_estimates import EstimateRow, claim_estimates


def test_values_beyond_the_axis_are_drawn_at_its_end_and_told_whole():
    rows = [EstimateRow("PFC", 0.4, (-7.0, 9.0), 0.9), EstimateRow("NAc", -5.0, None, 0.6)]
    figure = claim_estimates("estimate", rows, "share undone", (-1.0, 2.0), 0.0, "In words.")
    assert "PFC: 0.40 (-7.00 to 9.00); with shared animals 0.90" in str(rows[0])
    assert "NAc: -5.00 (interval not determined); with shared animals 0.60" in str(rows[1])
    assert figure.count("<svg") == 1
    assert "with shared animals" in figure
