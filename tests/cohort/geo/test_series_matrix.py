import gzip

import numpy as np
import pytest

from responder_ml.cohort.geo.series_matrix import read_series_matrix
from responder_ml.errors import FetchError

HEAD = """!Series_title\t"A series"
!Series_geo_accession\t"GSE1"

!Sample_title\t"Sample 1: A"\t"Sample ""2"": B"
!Sample_geo_accession\t"GSM1"\t"GSM2"
!Sample_characteristics_ch1\t"tissue: PFC"\t"tissue: NAc"
!Sample_characteristics_ch1\t"Age: 8 weeks"\t"sex: male: yes"
!Sample_relation\t"BioSample: x"\t""
!Sample_relation\t"SRA: y"\t"SRA: z"
!series_matrix_table_begin
"ID_REF"\t"GSM1"\t"GSM2"
"""


def _read(tmp_path, text, name="GSE1_series_matrix.txt.gz"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return read_series_matrix(path)


def test_every_property_and_characteristic_of_a_sample_is_there(tmp_path):
    matrix = _read(tmp_path, HEAD + "!series_matrix_table_end\n")
    first, second = matrix.samples
    assert (first.accession, first.title, second.title) == ("GSM1", "Sample 1: A", 'Sample "2": B')
    assert first.characteristics == {"tissue": "PFC", "age": "8 weeks"}
    assert second.characteristics == {"tissue": "NAc", "sex": "male: yes"}
    assert (first.field("relation"), second.field("relation")) == ("BioSample: x | SRA: y", "SRA: z")
    assert (first.field("Tissue"), first.field("absent")) == ("PFC", "")
    assert matrix.rows == ()


def test_the_table_is_read_where_there_is_one(tmp_path):
    matrix = _read(tmp_path, HEAD + '"1007_s_at"\t1.5\t-2\n"x"\tnull\t3e1\n!series_matrix_table_end\n', "m.txt")
    assert matrix.rows == ("1007_s_at", "x")
    np.testing.assert_array_equal(matrix.values, [[1.5, -2.0], [np.nan, 30.0]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no matrix at all\n", "names 0 samples"),
        (HEAD.replace('\t"GSM2"\n!Sample_char', "\n!Sample_char"), "names 1 samples"),
        (HEAD + '"a"\t1\n', "more or fewer values"),
        (HEAD + '"a"\t1\tx\n', "not a number"),
    ],
)
def test_a_broken_matrix_is_refused(tmp_path, text, words):
    with pytest.raises(FetchError, match=words):
        _read(tmp_path, text)
