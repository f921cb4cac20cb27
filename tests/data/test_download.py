"""Downloads from a server on this machine that breaks, lies, moves files, and continues – or cannot continue."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import struct
import threading
import zipfile

import msgspec
import numpy as np
import pytest

from tlcourse import paths
from tlcourse.data.real import hymenoptera, mnist
from tlcourse.data.real.download import download
from tlcourse.data.real.files import Remote
from tlcourse.errors import UnableError

CONTENT = np.random.default_rng(0).bytes(1_000_000)
SUM = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Files by their paths; each request takes a step of `script`: how many bytes come before the connection breaks."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"/file": CONTENT}
        self.script: list[int] = []
        self.continues = True
        self.asked: list[tuple[str, str]] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range", "")
                server.asked.append((self.path, wanted))
                if self.path not in server.files:
                    self.send_error(404)
                    return
                data, start = server.files[self.path], 0
                if wanted and server.continues:
                    start = int(wanted.removeprefix("bytes=").rstrip("-"))
                    if start >= len(data):
                        self.send_error(416)
                        return
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                most = server.script.pop(0) if server.script else len(data)
                self.wfile.write(data[start : start + most])

            def log_message(self, *_: object) -> None: ...

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server():
    one = Server()
    yield one
    one.http.shutdown()
    one.http.server_close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("digits", [8, 64])
def test_a_file_whose_checksum_matches_is_put_into_its_place(server, tmp_path, digits):
    said: list[str] = []
    download(f"{server.url}/file", tmp_path / "in" / "x", SUM[:digits], "", said.append)
    assert (tmp_path / "in" / "x").read_bytes() == CONTENT
    assert names(tmp_path / "in") == ["x"]
    assert said == [f"Downloading {server.url}/file (1.0 MB)"]
    download(f"{server.url}/file", tmp_path / "in" / "x", SUM, "")
    assert len(server.asked) == 1, "what is here is not fetched again"


def test_a_file_whose_checksum_does_not_match_leaves_nothing(server, tmp_path):
    server.files["/file"] = CONTENT[:-1] + b"?"
    with pytest.raises(UnableError, match="not what was expected") as caught:
        download(f"{server.url}/file", tmp_path / "x", SUM, "name a copy")
    assert SUM[:16] in caught.value.what
    assert caught.value.remedy == "name a copy"
    assert names(tmp_path) == []


def test_half_a_file_is_kept_and_the_next_attempt_continues_there(server, tmp_path):
    server.script = [300_000, 200_000]
    for _ in range(2):
        with pytest.raises(UnableError, match="could not be downloaded") as caught:
            download(f"{server.url}/file", tmp_path / "x", SUM, "")
        assert "continues where it stopped" in caught.value.cause
        assert names(tmp_path) == [".x.part"]
    assert "after 0.5 of 1.0 MB" in caught.value.what
    said: list[str] = []
    download(f"{server.url}/file", tmp_path / "x", SUM, "", said.append)
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert names(tmp_path) == ["x"]
    assert [wanted for _, wanted in server.asked] == ["", "bytes=300000-", "bytes=500000-"]
    assert said == [f"Downloading {server.url}/file (1.0 MB), continuing at 0.5 MB"]


def test_a_server_that_cannot_continue_begins_again(server, tmp_path):
    server.continues = False
    (tmp_path / ".x.part").write_bytes(CONTENT[:1000])
    download(f"{server.url}/file", tmp_path / "x", SUM, "")
    assert (tmp_path / "x").read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"of another file", CONTENT + b"too much"])
def test_what_was_left_of_another_file_is_thrown_away_and_the_file_fetched_whole(server, tmp_path, left):
    (tmp_path / ".x.part").write_bytes(left)
    download(f"{server.url}/file", tmp_path / "x", SUM, "")
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [f"bytes={len(left)}-", ""]


def test_all_bytes_that_lacked_only_their_check_are_used(server, tmp_path):
    (tmp_path / ".x.part").write_bytes(CONTENT)
    download(f"{server.url}/file", tmp_path / "x", SUM, "")
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert server.asked == [("/file", "bytes=1000000-")]


def test_a_file_that_was_moved_and_a_server_that_is_gone_each_say_so(server, tmp_path):
    with pytest.raises(UnableError, match="Not Found") as caught:
        download(f"{server.url}/elsewhere", tmp_path / "x", SUM, "name a copy")
    assert "404" in caught.value.cause
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(UnableError, match="Connection refused") as caught:
        download(f"{server.url}/file", tmp_path / "x", SUM, "name a copy")
    assert caught.value.remedy == "name a copy"
    assert names(tmp_path) == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://example.org/x", "ftp://example.org/x"])
def test_nothing_but_https_is_opened(tmp_path, url):
    with pytest.raises(UnableError, match="not an https address"):
        download(url, tmp_path / "x", "", "")


def test_a_set_of_files_is_fetched_one_by_one_and_appears_when_it_is_complete(server, monkeypatch):
    sums, downloads = {}, {}
    for prefix in ("train", "t10k"):
        for name, shape in (
            (f"{prefix}-images-idx3-ubyte.gz", (10, 28, 28)),
            (f"{prefix}-labels-idx1-ubyte.gz", (10,)),
        ):
            content = struct.pack(f">{1 + len(shape)}I", 0x0800 + len(shape), *shape) + bytes(int(np.prod(shape)))
            server.files[f"/{name}"] = gzip.compress(content)
            sums[name] = hashlib.sha256(content).hexdigest()
            packed = hashlib.sha256(server.files[f"/{name}"]).hexdigest()
            downloads[name] = Remote(f"{server.url}/{name}", packed)
    digits = msgspec.structs.replace(mnist.SET, sums=sums, downloads=downloads)
    moved = server.files.pop("/t10k-labels-idx1-ubyte.gz")
    with pytest.raises(UnableError, match="Not Found"):
        digits.fetch(None, None, lambda _: None)
    assert digits.find() is None
    server.files["/t10k-labels-idx1-ubyte.gz"] = moved
    got = digits.fetch(None, None, lambda _: None)
    assert digits.problems(got) == []
    assert names(paths.own_real_data()) == ["mnist"]
    assert len(server.asked) == 5, "what had arrived was not fetched twice"


def test_photographs_come_from_an_archive_that_is_continued(server, photographs, monkeypatch):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(photographs.rglob("*.jpg")):
            archive.write(path, f"hymenoptera_data/{path.relative_to(photographs)}")
    server.files["/photographs.zip"] = packed.getvalue()
    archive = Remote(f"{server.url}/photographs.zip", hashlib.sha256(packed.getvalue()).hexdigest())
    here = msgspec.structs.replace(hymenoptera.SET, archive=archive)
    server.script = [2000]
    with pytest.raises(UnableError, match="the connection broke"):
        here.fetch(None, None, lambda _: None)
    assert here.problems(here.fetch(None, None, lambda _: None)) == []
    assert [wanted for _, wanted in server.asked] == ["", "bytes=2000-"]
    assert names(paths.own_real_data()) == ["hymenoptera_data"]
