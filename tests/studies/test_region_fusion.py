"""What fusion needs, and what it refuses."""

import pandas as pd
import pytest

from responder_ml.build import build_cohort
from responder_ml.errors import ConfigError
from responder_ml.search.workers import Workers
from responder_ml.studies import region_fusion as module
from responder_ml.studies.jobs import RefusedJob
from responder_ml.studies.region_fusion import fuse_regions, fusion_table
from responder_ml.study_config import StudyConfig


def _study(per_class, **changes):
    cells = {f"susceptible/ketamine/{response}": per_class for response in ("responder", "non_responder")}
    job = {
        "cohort": {"source": "simulated", "params": {"n_genes": 300, "cells": cells, "regions": ["PFC", "NAc"]}},
        "builders": [{"kind": "genes", "params": {"max_genes": 10}}],
        "classifiers": [{"kind": "nearest_centroid"}],
        "search": {"folds": 3, "repeats": 1, "inner_folds": 2, "trials": 1, **changes},
    }
    endpoint = {"column": "response", "positive": "responder", "negative": "non_responder"}
    grid = {
        "regions": {"PFC": {"region": "PFC"}, "NAc": {"region": "NAc"}},
        "endpoints": {"response": endpoint},
    }
    return StudyConfig.model_validate({"name": "s", "job": job, "grid": grid, "fusion": ["late", "early"]})


def _fuse(config):
    base = config.base
    cohort = build_cohort(base.cohort, base.seed)
    return fuse_regions(config, list(config.planned_jobs()), cohort, Workers(1), lambda *_: None)


def test_too_few_subjects_are_refused_once_per_kind():
    (fusion,) = _fuse(_study(5))
    assert [job.planned.name for job in fusion.jobs] == ["late fusion: response", "early fusion: response"]
    assert all(isinstance(job, RefusedJob) for job in fusion.jobs)
    assert (fusion.jobs[0].n_positive, fusion.jobs[0].n_negative) == (5, 5)
    assert "at least 6" in fusion.jobs[0].reason
    assert fusion.fused is None
    assert fusion_table([fusion]).empty


def test_weights_are_of_every_region_and_add_up_to_one():
    (fusion,) = _fuse(_study(6))
    assert list(fusion.fused.weights) == ["PFC", "NAc"]
    assert sum(fusion.fused.weights.values()) == pytest.approx(1, abs=1e-3)
    assert len(fusion_table([fusion])) == 3


def test_fusions_are_compared_with_the_correction_for_the_folds_of_the_search(monkeypatch):
    compared = []
    monkeypatch.setattr(
        module, "compare_pairs", lambda scores, folds: compared.append((scores, folds)) or pd.DataFrame()
    )
    _fuse(_study(6))
    ((scores, folds),) = compared
    assert folds == 3
    assert {of_folds.shape for of_folds in scores.values()} == {(1, 3)}


def test_fusion_without_inner_folds_is_refused():
    with pytest.raises(ConfigError, match=r"search\.trials"):
        _fuse(_study(6, trials=0))


def test_a_study_that_asks_for_no_fusion_has_none():
    config = _study(6)
    assert _fuse(config.model_copy(update={"fusion": ()})) == []
