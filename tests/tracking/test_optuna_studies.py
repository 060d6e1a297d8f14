import pytest

from responder_ml.errors import TrackingError
from responder_ml.tracking.optuna_studies import write_studies


def test_every_candidate_is_a_study_with_the_trials_of_the_run(make_run, tmp_path):
    import optuna
    from optuna.storages.journal import JournalFileBackend

    run = make_run(folds=2, repeats=2, trials=3)
    path = tmp_path / "new" / "studies.log"
    names = write_studies(run, path)
    assert [file.name for file in path.parent.iterdir()] == ["studies.log"]
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    assert sorted(optuna.get_all_study_names(storage)) == sorted(names)
    table = run.tables["trials"]
    for name in names:
        study = optuna.load_study(study_name=name, storage=storage)
        rows = table[table["candidate"] == name]
        assert [trial.value for trial in study.trials] == rows["value"].tolist()
        assert [trial.user_attrs["fold"] for trial in study.trials] == rows["fold"].tolist()
        assert study.best_value == rows["value"].max()
        assert set(study.best_params) == {"n_features", "C"}


def test_values_of_several_kinds_are_categories_and_a_fixed_form_lacks_what_it_does_not_set(make_run, tmp_path):
    import optuna
    from optuna.storages.journal import JournalFileBackend

    run = make_run(folds=1, repeats=1, trials=3)
    table = run.tables["trials"].iloc[:3].copy()
    table["params"] = ['{"n": 5}', '{"n": 7, "penalty": "l1"}', '{"n": 9, "penalty": null}']
    run.tables["trials"] = table
    (name,) = write_studies(run, tmp_path / "studies.log")
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(tmp_path / "studies.log")))
    trials = optuna.load_study(study_name=name, storage=storage).trials
    assert [trial.params for trial in trials] == [{"n": 5}, {"n": 7, "penalty": "l1"}, {"n": 9, "penalty": None}]


def test_nothing_tuned_a_file_that_is_there_and_one_that_cannot_be_written_are_said(make_run, tmp_path):
    run = make_run()
    there = tmp_path / "there.log"
    there.write_text("mine")
    with pytest.raises(TrackingError, match="not overwritten"):
        write_studies(run, there)
    assert there.read_text() == "mine"
    with pytest.raises(TrackingError, match="cannot be written"):
        write_studies(run, there / "below.log")
    run.tables["trials"] = run.tables["trials"].iloc[:0]
    with pytest.raises(TrackingError, match="Nothing was tuned in pfc-response"):
        write_studies(run, tmp_path / "new.log")
