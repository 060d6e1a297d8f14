from responder_ml.records.study import TABLES, Study, read_study, study_table, write_study


def test_names_that_look_like_gaps_come_back_as_names(tmp_path):
    jobs = [{"job": "NA", "region": "NA", "endpoint": "null", "auroc": 0.75}]
    tables = {name: study_table(name, jobs if name == "jobs" else []) for name in TABLES}
    write_study(Study({"name": "s", "schema_version": 1}, tables, {"name": "s"}), "<p>page</p>", tmp_path / "s")
    found = read_study(tmp_path / "s").tables["jobs"].iloc[0]
    assert found["job"] == found["region"] == "NA"
    assert found["endpoint"] == "null"
    assert found["auroc"] == 0.75
    assert found.isna()["gain"]
