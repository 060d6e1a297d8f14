import responder_ml as rml


def test_a_run_is_repeated_by_the_configuration_it_wrote(run, tmp_path):
    again = rml.train(run.folder / "config.yaml", out=tmp_path / "run", bundle=tmp_path / "bundle")
    assert again.tables["out_of_fold"].equals(run.tables["out_of_fold"])
    assert again.p_value == run.p_value


def test_what_was_trained_on_says_so_when_it_was_simulated(run):
    assert run.result.simulated
    assert "on simulated data" in repr(run)


def test_scores_are_those_of_the_command(run, cohort, tmp_path):
    from responder_ml.score import score

    new = cohort[cohort.obs["region"] == "PFC"].copy()
    new.write_h5ad(tmp_path / "new.h5ad")
    of_command = score(run.bundle, tmp_path / "new.h5ad")
    assert rml.score(run.bundle, new).equals(of_command)
    assert rml.score(run.model, tmp_path / "new.h5ad").equals(of_command)


def test_runs_are_compared_as_objects_or_folders(run, tmp_path):
    other = rml.train(run.folder / "config.yaml", seed=8, out=tmp_path / "run", bundle=tmp_path / "bundle")
    comparison = rml.compare([run, other.folder])
    assert len(comparison.seeds) == 1
    assert set(comparison.leaderboard["candidate"]) == set(run.tables["candidates"]["name"])


def test_a_plan_of_class_sizes_and_of_a_job(run):
    sizes = rml.plan(6, 7, aurocs=[0.9]).rows
    assert rml.plan(job=run.folder / "config.yaml", aurocs=[0.9]).rows == sizes


def test_a_study_from_its_model(cohort, tmp_path):
    job = {
        "cohort": {"source": "simulated", "params": {"n_genes": 300}},
        "builders": ["genes"],
        "classifiers": ["nearest_centroid"],
        "null": {"permutations": 40},
        "compute": {"workers": 1},
    }
    response = {"column": "response", "positive": "responder", "negative": "non_responder"}
    grid = {"regions": {"PFC": {"region": "PFC"}, "NAc": {"region": "NAc"}}, "endpoints": {"response": response}}
    config = rml.StudyConfig(name="regions", job=job, grid=grid, transfer={"permutations": 0})
    study = rml.study(config, out=tmp_path / "study")
    assert list(study.tables["jobs"]["job"]) == ["PFC: response", "NAc: response"]
