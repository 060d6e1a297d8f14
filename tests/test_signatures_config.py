"""The list of signatures: what goes together, what is missing, and where its files are."""

import pytest

from responder_ml.errors import ConfigError
from responder_ml.signatures_config import load_signatures

ENTRY = {"name": "s", "path": "s.tsv", "source": "us", "licence": "CC0-1.0"}


def _load(tmp_path, *entries, **keys):
    import json

    path = tmp_path / "signatures.yaml"
    path.write_text(json.dumps({"signatures": list(entries), **keys}))
    return load_signatures(path)


def test_paths_start_from_the_list_and_words_may_be_numbers(tmp_path):
    (one,) = _load(tmp_path, ENTRY | {"gene": "g", "direction": "d", "up": 1, "down": [-1, "dn"]}).signatures
    assert one.path == tmp_path / "s.tsv"
    assert (one.columns.up, one.columns.down) == (("1",), ("-1", "dn"))
    (gmt,) = _load(tmp_path, ENTRY).signatures
    assert gmt.columns is None


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (ENTRY | {"efect": "t"}, "unknown key"),
        ({"name": "s", "path": "s.gmt", "source": "us"}, "licence' is missing"),
        (ENTRY | {"effect": "t"}, "belongs to a table"),
        (ENTRY | {"gene": "g", "effect": "t", "direction": "d", "up": "x"}, "name one of `effect` and `direction`"),
        (ENTRY | {"gene": "g", "direction": "d"}, "go together"),
        (ENTRY | {"gene": "g", "up": "x"}, "go together"),
        (ENTRY | {"gene": "g", "direction": "d", "up": "x", "down": "x"}, "two directions"),
        (ENTRY | {"gene": "g", "effect": "t", "p": "p"}, "say how many"),
        (ENTRY | {"gene": "g", "at_most": 5}, "needs `p` or `effect`"),
        (ENTRY | {"gene": "g", "effect": "t", "at_most": 0}, "greater than or equal to 1"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path, entry, message):
    with pytest.raises(ConfigError, match=message):
        _load(tmp_path, entry)


def test_names_differ_and_there_is_one(tmp_path):
    with pytest.raises(ConfigError, match="two signatures have one name"):
        _load(tmp_path, ENTRY, ENTRY)
    with pytest.raises(ConfigError, match="signatures"):
        _load(tmp_path)
    with pytest.raises(ConfigError, match="no file"):
        load_signatures(tmp_path / "absent.yaml")
