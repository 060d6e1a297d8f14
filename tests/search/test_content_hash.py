import subprocess
import sys

import numpy as np
from scipy import sparse

from responder_ml.search.content_hash import content_hash

PROGRAM = """
import numpy as np
from responder_ml.search.content_hash import content_hash
print(content_hash(({"gene", "set"}, {"a": np.arange(3.0)}, "text")))
"""


def test_another_process_gives_the_same():
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout.strip()
    assert said == content_hash(({"gene", "set"}, {"a": np.arange(3.0)}, "text"))


def test_a_changed_value_type_or_order_is_another_content():
    table = np.arange(6.0).reshape(2, 3)
    changed = table.copy()
    changed[1, 2] = np.nextafter(changed[1, 2], 9.0)
    contents = [table, changed, table.astype(np.float32), table.T, [1, 2], [2, 1], (1, 2), {"a": 1}, {"a": 2}]
    assert len({content_hash(content) for content in contents}) == len(contents)


def test_a_sparse_table_is_what_it_holds_and_not_what_was_asked_of_it():
    table = sparse.csc_array(np.eye(3))
    before = content_hash({"table": table})
    assert table.has_sorted_indices
    assert table.has_canonical_format
    table[:, [1]].toarray()
    assert content_hash({"table": table}) == before
    assert content_hash({"table": table * 2}) != before
    assert content_hash({"table": table.tocsr()}) != before
