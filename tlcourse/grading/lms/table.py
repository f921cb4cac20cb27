"""CSV as spreadsheets and platforms write it; and CSV that does a spreadsheet no harm."""

from __future__ import annotations

import csv
import functools
import io
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.lms.worksheet import english_headers
from tlcourse.text import harmless

_MAX_BYTES = 50 * 2**20
_DELIMITERS = ",;\t"
_FORMULA = "=+-@−"  # what a spreadsheet takes as the beginning of a formula, in any width
_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Zl", "Zp", "Zs"}
_FILLERS = "\u115f\u1160\u3164\uffa0\u2800"  # letters to Unicode, and nothing to the eye


class Table(Struct, frozen=True):
    """A CSV file: its headers as written, its rows as wide as the headers, and how it was written."""

    path: Path
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str = ","
    bom: bool = False
    known: tuple[str, ...] = ()
    """The headers as they are looked for, where the file has them in a language that is not; else none."""

    def column(self, *names: str) -> int | None:
        """Where the first of these headers stands, whatever its case and spacing; None without it."""
        plain = [header_key(header) for header in self.known or self.headers]
        return next((plain.index(key) for name in names if (key := header_key(name)) in plain), None)


@functools.lru_cache(maxsize=4096)
def header_key(header: str) -> str:
    """A header without its case, spaces, hyphens and underscores: `Org Defined-ID` is `orgdefinedid`."""
    folded = unicodedata.normalize("NFKC", header).casefold().lstrip("\ufeff#").strip()
    return "".join(letter for letter in folded if letter.isalnum() or letter in "()<>:")


def read_table(path: Path) -> Table:
    """Read a CSV with commas, semicolons or tabs, in UTF-8, UTF-16 or a Windows code page; raises UsageError."""
    data = _bytes(path)
    text = _decoded(data)
    if "\0" in text:
        raise _wrong(path, "it holds NUL bytes", "it is not a CSV but perhaps a spreadsheet file: save it as CSV")
    delimiter = None
    if text[:5].lower().startswith("sep=") and len(text) > 4:  # Excel's own way to say it
        delimiter, text = text[4], text.split("\n", 1)[-1]
    delimiter = delimiter or _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [(reader.line_num, tuple(cell.strip() for cell in row)) for row in reader]
    except csv.Error as error:
        raise _wrong(path, f"line {reader.line_num}: {error}", "a quotation mark is not closed") from None
    filled = [(number, row) for number, row in lines if any(row)]
    if not filled:
        raise _wrong(path, "it is empty", "export it again")
    headers = filled[0][1]
    rows = []
    for number, row in filled[1:]:
        if any(row[len(headers) :]):
            raise _wrong(
                path,
                f"line {number} has {len(row)} cells for {len(headers)} headers",
                "a cell with the delimiter in it lacks its quotation marks",
            )
        rows.append((row + ("",) * len(headers))[: len(headers)])
    known = english_headers(headers, rows) or ()
    return Table(path, headers, tuple(rows), delimiter, data.startswith(b"\xef\xbb\xbf"), known)


def write_table(rows: Iterable[Sequence[str]], *, delimiter: str = ",", bom: bool = False) -> str:
    """CSV with CRLF, as RFC 4180 has it. Text cells must have been through `cell` before."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return ("\ufeff" if bom else "") + stream.getvalue()


def cell(text: str) -> str:
    """`text` as a cell that is text for every spreadsheet: no formula, no control sequences, no line of its own."""
    clean = " ".join(harmless(text).replace("\t", " ").split("\n")).strip() if text else ""
    return "'" + clean if _is_formula(text) or _is_formula(clean) else clean


def _is_formula(text: str) -> bool:
    """Whether a tab, a return, or behind whatever is not seen the sign of a formula stands first."""
    seen = (c for c in text if c not in _FILLERS and unicodedata.category(c) not in _UNSEEN)
    return text.startswith(("\t", "\r")) or unicodedata.normalize("NFKC", next(seen, " "))[:1] in _FORMULA


def number(value: float) -> str:
    """Points as platforms take them: a decimal point, no exponent, no needless zeros."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.",
            cause="the path is misspelt, a folder, or not yours to read.",
            remedy="name a CSV file that was exported from the platform.",
        ) from None
    if len(data) > _MAX_BYTES:
        raise _wrong(path, f"it is larger than {_MAX_BYTES >> 20} MB", "another file was named")
    return data


def _decoded(data: bytes) -> str:
    """UTF-8 where it is, UTF-16 where its mark says so, else the code page of Western Windows."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _delimiter(text: str) -> str:
    """The one that the first line has most of, outside quotation marks."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    outside = "".join(first.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _wrong(path: Path, what: str, cause: str) -> UsageError:
    return UsageError(
        f"{path} cannot be read as a table: {what}.",
        cause=f"{cause}.",
        remedy="export it again from the platform, as CSV, and do not save it from a spreadsheet in between.",
    )
