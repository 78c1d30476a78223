"""Files that mean harm: each is a sentence, in little time and memory, and nothing of it is imported."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.history.test_import import HEAD, MAPPING, ROWS, House
from wattkeeper.operations.history.mapping import read_mapping

NUMBERS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
BOOK = (
    f'<workbook {NUMBERS} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>'
)
LINKS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Target="{target}"/></Relationships>'
)
NAMES = HEAD.strip().split(",")


def sheet(*rows: str) -> str:
    """A sheet whose cells are written out."""
    return f"<worksheet {NUMBERS}><sheetData>{''.join(rows)}</sheetData></worksheet>"


def line(*cells: str) -> str:
    """A row of texts."""
    written = (f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    return f"<row>{''.join(written)}</row>"


def book(content: str | bytes, target: str = "worksheets/sheet1.xml", **parts: str) -> bytes:
    """An XLSX file of one sheet."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", parts.get("book", BOOK))
        archive.writestr("xl/_rels/workbook.xml.rels", LINKS.format(target=target))
        archive.writestr("xl/worksheets/sheet1.xml", content)
        if "texts" in parts:
            archive.writestr("xl/sharedStrings.xml", parts["texts"])
    return made.getvalue()


def bomb() -> bytes:
    """A few hundred kilobytes that unpack to more than a quarter of a gigabyte."""
    return book(b"<worksheet>" + b" " * (257 * 1024 * 1024))


def entities() -> bytes:
    """Ten entities, each ten of the one before."""
    layers = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return book(f'<!DOCTYPE a [<!ENTITY e0 "boom">{layers}]>{sheet(line("&e9;"))}')


def foreign() -> bytes:
    """An entity that reads a file of the machine."""
    return book(f'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>{sheet(line("&e;"))}')


def sealed() -> bytes:
    """A file whose parts say that they are encrypted."""
    return (
        book(sheet(line(*NAMES)))
        .replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01")
        .replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    )


BROKEN = "This is no XLSX file that can be read"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: b"", "The file is empty"),
        (lambda: b"\n\n , ,\n", "The file is empty"),
        (lambda: b"\0" * 1_000_000, "The file is empty, or its first line is no table"),
        (lambda: b"\0" * 1_000, "There is no column from (begin); there are: ????"),
        (lambda: ("x," * 1_000_000).encode(), "more than 1000 columns"),
        (lambda: b'"' + b"x" * 1_000_000, "The file is empty, or its first line is no table"),
        (lambda: HEAD.replace("id,", "id,id,").encode(), "There are 2 columns id"),
        (lambda: b"\xd0\xcf\x11\xe0" + b"\0" * 600, "an old or an encrypted Excel file"),
        (lambda: b"PK\x03\x04" + b"\0" * 600, BROKEN),
        (bomb, "unpacks to more than any sheet needs"),
        (entities, "something that no sheet needs"),
        (foreign, "something that no sheet needs"),
        (sealed, BROKEN),
        (lambda: book(sheet(line(*NAMES))[:-30]), BROKEN),
        (lambda: book("<worksheet/>"), "The file is empty"),
        (lambda: book(sheet(line(*NAMES)), target="../../../../etc/passwd"), BROKEN),
        (lambda: book(sheet(line(*NAMES)), target="nowhere.xml"), BROKEN),
        (lambda: book(sheet(line(*NAMES)), book="<workbook/>"), BROKEN),
        (lambda: book(sheet('<row><c r="XXXXXXX1" t="n"><v>1</v></c></row>')), BROKEN),
    ],
)
def test_a_file_that_is_none_is_a_sentence(house: House, make: Callable[[], bytes], said: str) -> None:
    code, out, err = house.take(house.write("odd.xlsx", make()), "--make-stations")
    assert (code, out) == (1, "")
    assert said in err.replace("\n", " "), err
    assert "Traceback" not in err
    assert err.replace("\n", " ").isprintable()
    assert house.run("import", "mapping", str(house.folder / "odd.xlsx"))[2].count("Traceback") == 0


def test_cells_that_mean_harm_stop_no_other_row(house: House) -> None:
    cells = (
        "=cmd|' /C calc'!A0,OLD-1,2015-03-04 08:00,,2015-03-04 09:00,1,,\n",
        f"{'x' * 200_000},OLD-1,2015-03-04 08:00,,2015-03-04 09:00,1,,\n",
        "B\0,OLD-1,2015-03-04 08:00,,2015-03-04 09:00,1,,\n",
        "C,OLD\x1b[31m,2015-03-04 08:00,,2015-03-04 09:00,1,,\n",
        "D,OLD-1,2015-03-04 08:00,,2015-03-04 09:00,1e999999999,,\n",
        "E,OLD-1,2015-03-04 08:00,,2015-03-04 09:00,inf,,\n",
        "F,OLD-1,9999-12-31 23:59,,9999-12-31 23:59,1,,\n",
        "G,OLD-1,\x1b[2J,,2015-03-04 09:00,1,,\n",
        f"H,OLD-1,2015-03-04 08:00,,2015-03-04 09:00,1,{'4' * 90},\n",
        f"{'y' * 20_000},OLD-1,2015-03-04 08:00,,2015-03-04 09:00,1,,\n",
        "'; DROP TABLE session; --,OLD-1,2015-03-05 08:00,,2015-03-05 09:00,1,,\n",
    )
    file = house.write("old.csv", HEAD + "".join(cells) + ROWS)
    code, out, err = house.take(file, "--make-stations")
    assert code == 1
    assert "14 rows: 5 imported, 0 here already, 9 not taken." in out
    assert "\x1b[2J" not in err
    assert "4444" not in err
    assert house.rows("SELECT count(*) FROM session") == [(5,)]


def test_formulas_give_what_was_saved_with_them(house: House) -> None:
    row = line("A", "OLD-1", "2015-03-02 08:00", "", "2015-03-02 12:00")
    told = row.replace("</row>", '<c r="F2"><f>WEBSERVICE("http://127.0.0.1/")</f><v>7.25</v></c></row>')
    empty = row.replace(">A<", ">B<").replace("</row>", '<c r="F3"><f>1+1</f></c></row>')
    wrong = row.replace(">A<", ">C<").replace("</row>", '<c r="F4" t="e"><v>#REF!</v></c></row>')
    code, _, err = house.take(house.write("old.xlsx", book(sheet(line(*NAMES), told, empty, wrong))), "--make-stations")
    assert code == 1
    assert house.rows("SELECT key, energy_wh FROM session ORDER BY key") == [
        ("import:A", 7_250_000_000),
        ("import:B", None),
    ]
    assert "line 4, column kwh: “#REF!” is not a number" in err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_files_of_other_spreadsheets_are_read(house: House, encoding: str) -> None:
    text = (HEAD + ROWS).replace(",", ";").replace("OLD-1", "Säule").replace("\n", "\r\n")
    text = re.sub(r"(\d)\.(\d)", r"\1,\2", text)
    mapping = house.write("comma.toml", MAPPING.replace('unit = "kWh"', 'unit = "kWh"\ndecimal = ","'))
    told = house.told(house.write("old.csv", text.encode(encoding)), "--make-stations", mapping=mapping)
    assert (told["imported"], told["not_taken"]) == (3, [])
    assert house.rows("SELECT station_id, energy_wh FROM session WHERE key = 'import:A'") == [("Säule", 7_200_000_000)]


def test_a_point_that_may_set_thousands_apart_is_no_decimal_point(house: House) -> None:
    """By a spreadsheet in German 9.632 Wh are nearly ten kWh: a thousandth of it would be wrong without a word."""
    text = (HEAD + ROWS).replace(",", ";").replace("7.2;", "9.632;")
    mapping = house.write("comma.toml", MAPPING.replace('unit = "kWh"', 'unit = "Wh"\ndecimal = ","'))
    code, _, err = house.take(house.write("old.csv", text), "--make-stations", mapping=mapping)
    assert code == 1 and "“9.632” is not a number such as 12,5." in err.replace("\n", " ")
    assert house.rows("SELECT count(*) FROM session WHERE key = 'import:A'") == [(0,)]


def test_links_pipes_and_folders_are_no_files(house: House) -> None:
    link, pipe = house.folder / "link.csv", house.folder / "pipe.csv"
    link.symlink_to(house.write("old.csv", HEAD + ROWS))
    os.mkfifo(pipe)
    for path, said in (
        (link, "is a link: give the file that it leads to."),
        (pipe, "is no file."),
        (Path("/dev/zero"), "is no file."),
        (house.folder, "is no file."),
        (house.folder / "nowhere.csv", "cannot be read"),
    ):
        code, _, err = house.take(path)
        assert code == 1
        assert said in err.replace("\n", " "), (path, err)


def test_a_file_in_which_all_overlap_tells_of_some_pairs(house: House) -> None:
    """As many pairs as there are would take gigabytes."""
    rows = (
        f"s{one},OLD-1,2015-03-04 08:{one // 60:02}:{one % 60:02},,2015-03-04 20:00:00,1,,\n" for one in range(2_000)
    )
    file = house.write("all.csv", (HEAD + "".join(rows)).encode())
    code, out, err = house.take(file, "--make-stations", "--dry-run", "--json")
    assert code == 0, err
    assert 1_999 <= json.loads(out)["counts"]["overlap"] <= 20_000


def test_a_cell_of_a_million_pieces_is_read_once(house: House) -> None:
    """Each piece would copy all before it: the pieces of a few kilobytes took hours."""
    much = "<v>xxxxxxxx</v>" * 1_000_000
    file = book(
        sheet(line(*NAMES), f'<row><c t="str">{much}</c></row>', f"<row><c t='inlineStr'><is>{much}</is></c></row>")
    )
    code, out, _ = house.take(house.write("many.xlsx", file), "--make-stations", "--json")
    assert code == 1
    assert [one["kind"] for one in json.loads(out)["not_taken"]] == ["unreadable", "unreadable"]


def test_a_row_that_goes_on_for_ever_is_not_taken(house: House) -> None:
    wide = '<row><c r="A3" t="str"><v>x</v></c><c r="XFD3" t="str"><v>x</v></c></row>'
    code, out, _ = house.take(house.write("wide.xlsx", book(sheet(line(*NAMES), wide))), "--make-stations", "--json")
    assert (code, [one["kind"] for one in json.loads(out)["not_taken"]]) == (1, ["unreadable"])


def test_a_mapping_of_columns_with_any_letters_can_be_read(house: House) -> None:
    head = '\U0001f50c id,Station \x9b31m \u00fc,Start \U0001f50c,End \x7f,kWh \\ ""\n'
    row = "A,OLD-1,2015-03-04 08:00,2015-03-04 09:00,1\n"
    file = house.write("letters.csv", (head + row).encode())
    code, out, err = house.run("import", "mapping", str(file))
    assert (code, out.replace("\n", "").isprintable()) == (0, True), err
    assert read_mapping(out).columns.begin == "Start \U0001f50c"
