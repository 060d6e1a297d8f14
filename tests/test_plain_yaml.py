import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from responder_ml.plain_yaml import read_yaml_file, read_yaml_text

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "stands for more than"),
        ("a: &a [*a]", "refers to itself"),
        ("[" * 5000 + "]" * 5000, "levels deep"),
        ("seed: " + "9" * 5000, "5000 digits"),
        ("seed: 7\nname: x\nseed: 8", r"'seed' stands there twice, first in line 1"),
        ("day: 2026-13-45", "cannot be read"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: [", "expected the node content"),
    ],
)
def test_what_no_configuration_holds_is_refused_at_once(text, message):
    begin = time.monotonic()
    with pytest.raises(yaml.YAMLError, match=message):
        read_yaml_text(text)
    assert time.monotonic() - begin < 5


def test_names_and_merges_within_reason_are_read():
    text = "base: &base {trials: 5, folds: 2}\nsearch: {<<: *base, folds: 3}\nother: [*base, *base]"
    assert read_yaml_text(text)["search"] == {"trials": 5, "folds": 3}


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda part: st.dictionaries(st.text(), part))
)
def test_what_yaml_writes_is_read_as_before(value):
    text = yaml.safe_dump(value)
    assert read_yaml_text(text) == yaml.safe_load(text)


def test_what_is_no_file_or_too_large_is_refused(tmp_path):
    with pytest.raises(yaml.YAMLError, match="not a file"):
        read_yaml_file(tmp_path)
    (tmp_path / "large.yaml").write_bytes(b"#" * (2**22 + 1))
    with pytest.raises(yaml.YAMLError, match="MiB"):
        read_yaml_file(tmp_path / "large.yaml")
    with pytest.raises(FileNotFoundError):
        read_yaml_file(tmp_path / "none.yaml")
