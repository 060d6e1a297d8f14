import tarfile

import pytest

from responder_ml.cohort.geo.raw_archive import unpack_tables
from responder_ml.errors import FetchError


def test_only_tables_of_samples_are_unpacked_and_only_into_the_folder(tmp_path):
    for name in ("GSM1_a.txt", "GSM2_b.counts", "GSM3.CEL", "notes.txt"):
        (tmp_path / name).write_text("Fos\t1\n")
    with tarfile.open(tmp_path / "GSE1_RAW.tar", "w") as archive:
        archive.add(tmp_path / "GSM1_a.txt", "../../GSM1_a.txt")
        for name in ("GSM2_b.counts", "GSM3.CEL", "notes.txt"):
            archive.add(tmp_path / name, name)
    paths = unpack_tables(tmp_path / "GSE1_RAW.tar", tmp_path / "cache" / "raw")
    assert [path.name for path in paths] == ["GSM1_a.txt", "GSM2_b.counts"]
    assert {path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()} == {"GSM1_a.txt", "GSM2_b.counts"}


def test_a_broken_archive_is_refused(tmp_path):
    (tmp_path / "GSE1_RAW.tar").write_bytes(b"no tar" * 200)
    with pytest.raises(FetchError, match="cannot be unpacked"):
        unpack_tables(tmp_path / "GSE1_RAW.tar", tmp_path / "raw")
