import gzip
import hashlib
import json
import random
from contextlib import nullcontext

import pytest

from responder_ml.cohort.geo.download import Downloader, Patience
from responder_ml.errors import FetchError, NotInArchiveError, UnreachableError
from responder_ml.progress import Progress

QUICK = Patience(attempts=3, pause=0.01, silence=5.0)
NAME = "GSE1_series_matrix.txt.gz"
CONTENT = gzip.compress(random.Random(1).randbytes(300_000), mtime=0)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PAGE = b"<!DOCTYPE html>\n<html><body>Sorry, the service is down.</body></html>"


@pytest.fixture
def fetch(geo, tmp_path):
    geo.files["/f.gz"] = CONTENT

    def call(sha256=None, patience=QUICK, progress=None):
        return Downloader(tmp_path / "cache", progress, patience).fetch(f"{geo.address}/f.gz", NAME, sha256)

    return call


def _visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_file_is_fetched_once_and_recorded(fetch, geo, tmp_path):
    fetched = fetch()
    assert fetched.path == tmp_path / "cache" / NAME
    assert fetched.path.read_bytes() == CONTENT
    assert (fetched.url, fetched.size, fetched.sha256) == (f"{geo.address}/f.gz", len(CONTENT), DIGEST)
    assert fetch(DIGEST) == fetched
    assert geo.requests == [("/f.gz", None)]
    assert _visible(tmp_path / "cache") == [NAME]


def test_a_dropped_connection_is_resumed_where_it_broke(fetch, geo):
    geo.troubles["/f.gz"] = [("drop", 100_000), ("drop", 50_000)]
    assert fetch(DIGEST).path.read_bytes() == CONTENT
    assert [span for _, span in geo.requests] == [None, "bytes=100000-", "bytes=150000-"]


def test_many_drops_are_resumed_as_long_as_data_arrive(fetch, geo):
    geo.troubles["/f.gz"] = [("drop", 20_000)] * 10
    assert fetch(DIGEST).sha256 == DIGEST


@pytest.mark.parametrize("etags", [True, False])
def test_a_later_run_resumes_where_an_earlier_one_gave_up(fetch, geo, tmp_path, etags):
    geo.etags = etags
    geo.troubles["/f.gz"] = [("drop", 70_000), *[("status", 503)] * 3]
    with pytest.raises(UnreachableError, match=r"HTTP 503.*run again, which resumes the download"):
        fetch()
    assert _visible(tmp_path / "cache") == [f"{NAME}.part"]
    assert fetch(DIGEST).sha256 == DIGEST
    assert geo.requests[-1][1] == "bytes=70000-"


def test_a_file_that_changed_meanwhile_is_not_patched_together(fetch, geo):
    newer = gzip.compress(random.Random(2).randbytes(200_000))
    geo.troubles["/f.gz"] = [("drop", 70_000), *[("status", 503)] * 3]
    with pytest.raises(UnreachableError):
        fetch()
    geo.files["/f.gz"] = newer
    assert fetch().path.read_bytes() == newer
    assert geo.requests[-1][1] == "bytes=70000-"


def test_a_server_without_ranges_sends_the_whole_file(fetch, geo):
    geo.ranges = False
    geo.troubles["/f.gz"] = [("drop", 1000)]
    assert fetch(DIGEST).path.read_bytes() == CONTENT


def test_a_silent_server_is_retried(fetch, geo):
    geo.troubles["/f.gz"] = [("stall", 2.0)]
    assert fetch(DIGEST, Patience(attempts=2, pause=0.01, silence=0.2)).path.read_bytes() == CONTENT
    assert len(geo.requests) == 2


@pytest.mark.parametrize("code", [429, 500, 503])
def test_temporary_errors_are_retried(fetch, geo, code):
    geo.troubles["/f.gz"] = [("status", code)] * 2
    assert fetch().sha256 == DIGEST


def test_a_file_the_server_lacks_is_not_requested_again(fetch, geo, tmp_path):
    del geo.files["/f.gz"]
    with pytest.raises(NotInArchiveError, match=r"does not exist .HTTP 404"):
        fetch()
    assert len(geo.requests) == 1
    assert _visible(tmp_path / "cache") == []


def test_a_refusal_is_reported_at_once(fetch, geo):
    geo.troubles["/f.gz"] = [("status", 403)]
    with pytest.raises(FetchError, match=r"refused .HTTP 403"):
        fetch()
    assert len(geo.requests) == 1


@pytest.mark.parametrize(
    ("body", "sha256", "words"),
    [
        (PAGE, None, "web page where the file GSE1_series_matrix.txt.gz was expected"),
        (CONTENT[:-2000], None, "damaged or cut short"),
        (CONTENT[:1000] + b"x" + CONTENT[1001:], None, "damaged or cut short"),
        (b"plain text", None, "it is not gzip"),
        (b"", None, "is empty"),
        (gzip.compress(b"something else"), DIGEST, f"SHA-256 .*{DIGEST} was expected"),
    ],
    ids=["page", "truncated", "altered", "not-gzip", "empty", "checksum"],
)
def test_a_wrong_file_is_refused_and_deleted(fetch, geo, tmp_path, body, sha256, words):
    geo.troubles["/f.gz"] = [("body", body)]
    with pytest.raises(FetchError, match=words):
        fetch(sha256)
    assert list((tmp_path / "cache").iterdir()) == []
    assert fetch(DIGEST).sha256 == DIGEST


def test_a_cached_file_that_was_altered_is_fetched_again(fetch, geo):
    fetched = fetch()
    fetched.path.write_bytes(CONTENT[:-1])
    assert fetch().path.read_bytes() == CONTENT
    assert len(geo.requests) == 2


def test_a_file_put_there_by_hand_serves_without_network(tmp_path):
    (tmp_path / NAME).write_bytes(CONTENT)
    fetched = Downloader(tmp_path, patience=QUICK).fetch("http://127.0.0.1:9/f.gz", NAME)
    assert fetched.sha256 == DIGEST
    assert fetched.url.startswith("by hand")
    with pytest.raises(FetchError, match=r"by hand, but its SHA-256 is"):
        Downloader(tmp_path, patience=QUICK).fetch("http://127.0.0.1:9/f.gz", NAME, "0" * 64)
    assert (tmp_path / NAME).exists()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://no-such-host.invalid"])
def test_without_network_a_message_within_seconds_says_where_to_put_the_file(tmp_path, address, monkeypatch):
    pauses = []
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr("time.sleep", pauses.append)
    with pytest.raises(UnreachableError, match=str(tmp_path / NAME)):
        Downloader(tmp_path).fetch(f"{address}/f.gz", NAME)
    assert sum(pauses) <= 2


def test_progress_counts_up_to_the_size(fetch, geo):
    steps = []

    class Watch(Progress):
        def stage(self, title):
            return nullcontext(lambda done, total, remark: steps.append((done, total)))

    geo.troubles["/f.gz"] = [("drop", 100_000)]
    fetch(progress=Watch())
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert {total for _, total in steps} == {len(CONTENT)}
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_a_complete_part_is_accepted_without_a_request(fetch, geo, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / f"{NAME}.part").write_bytes(CONTENT)
    (cache / f".{NAME}.part.json").write_text(json.dumps({"url": f"{geo.address}/f.gz", "size": len(CONTENT)}))
    assert fetch(DIGEST).sha256 == DIGEST
    assert geo.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://host/file",
        "https:///nowhere",
        "http://host:99999/x",
        "http://ho\nst/",
        "javascript:x",
    ],
)
def test_only_addresses_of_the_web_are_fetched(tmp_path, url):
    with pytest.raises(FetchError, match="no address"):
        Downloader(tmp_path).fetch(url, "name")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../thesis", "a/b", ".hidden", "", "a" * 300, "a..b", "a\nb"])
def test_a_name_that_leads_out_of_the_cache_is_refused(geo, tmp_path, name):
    with pytest.raises(FetchError, match="no name of a file"):
        Downloader(tmp_path / "cache").fetch(f"{geo.address}/x", name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://host/file"])
def test_a_redirection_away_from_the_web_is_refused(geo, tmp_path, target):
    geo.troubles = {"/x": [("redirect", target)] * 9}
    with pytest.raises(FetchError, match=r"leads to|was refused"):
        Downloader(tmp_path, patience=Patience(1, 0.01, 5.0)).fetch(f"{geo.address}/x", "x")


def test_a_length_that_is_none_is_no_crash(geo, tmp_path):
    geo.troubles = {"/x": [("length", "many")] * 9}
    with pytest.raises(UnreachableError, match="'many' as the length"):
        Downloader(tmp_path, patience=Patience(1, 0.01, 5.0)).fetch(f"{geo.address}/x", "x")


def test_the_password_of_an_archive_is_written_nowhere(geo, tmp_path):
    geo.files = {"/x?token=swordfish": b"content"}
    fetched = Downloader(tmp_path).fetch(f"{geo.address}/x?token=swordfish", "x")
    assert "swordfish" not in str(fetched.record())
    assert all(b"swordfish" not in path.read_bytes() for path in tmp_path.iterdir())
