"""The command about terms of sites as a stranger types it: entered, listed, and said what is wrong."""

from __future__ import annotations

from pathlib import Path

from tests.test_command_line import run


async def test_terms_are_entered_listed_and_refused_in_sentences(tmp_path: Path) -> None:
    status, _, said = await run(tmp_path, "stations", "add", "CP1", "--site", "Harbour")
    assert status == 0, said
    status, out, _ = await run(tmp_path, "terms", "show", "Harbour")
    assert status == 0 and "No terms were entered" in out
    status, out, said = await run(tmp_path, "terms", "show", "Nowhere")
    assert (status, out) == (1, "") and "No station stands at a site called Nowhere." in said
    status, out, said = await run(tmp_path, "terms", "set", "Harbour")
    assert (status, out) == (1, "") and "Say what holds: --peak" in said
    given = ("--peak", "8,25", "--energy", "0.245", "--at", "22:00-06:00=0.18", "--limit-kw", "40", "--carbon", "350")
    status, out, said = await run(tmp_path, "terms", "set", "Harbour", *given, "--since", "2026-01-01")
    assert (status, said) == (0, "") and "Noted." in out
    status, out, _ = await run(tmp_path, "terms", "show", "Harbour")
    words = " ".join(out.split())
    for part in ("2026-01-01", "8.25 EUR", "0.245 EUR", "22:00-06:00 0.18 EUR", "40.0", "350", "command line"):
        assert part in words, part
    for wrong, code, why in (
        (("Nowhere", "--peak", "1"), 1, "No station stands at a site called Nowhere."),
        (("Harbour", "--peak", "x"), 1, "'x' is not a number"),
        (("Harbour", "--peak", "-1"), 1, "A price is from €0.00 to €10,000.00"),
        (("Harbour", "--at", "night=1"), 1, "'night=1' is no time of day"),
        (("Harbour", "--at", "22:61-23:00=1"), 1, "names a minute that no hour has"),
        (("Harbour", "--at", "25:00-26:00=1"), 1, "from one quarter hour to another"),
        (("Harbour", "--carbon", "1,2"), 1, "by one figure, or by 24"),
        (("Harbour", "--peak", "1", "--since", "soon"), 1, "'soon' is no day"),
    ):
        status, out, said = await run(tmp_path, "terms", "set", *wrong)
        assert (status, out) == (code, "") and why in " ".join(said.split()), (wrong, said)


async def test_carbon_by_the_hour_comes_out_of_a_file(tmp_path: Path) -> None:
    await run(tmp_path, "stations", "add", "CP1", "--site", "Harbour")
    file = tmp_path / "grid.csv"
    file.write_text("at,g_per_kwh\n2026-03-01T00:00Z,312.5\n2026-03-01T01:00Z,300\n")
    assert await run(tmp_path, "terms", "carbon", "Harbour", str(file)) == (0, "2 hours are kept.\n", "")
    file.write_text("at,g_per_kwh\n2026-03-01T00:00Z,much\n")
    status, _, said = await run(tmp_path, "terms", "carbon", "Harbour", str(file))
    assert status == 1 and "Line 2 is not read" in said
    file.write_bytes(b"at,g_per_kwh\n\xff")
    status, _, said = await run(tmp_path, "terms", "carbon", "Harbour", str(file))
    assert status == 1 and "is not UTF-8 text" in " ".join(said.split())
    status, _, said = await run(tmp_path, "terms", "carbon", "Harbour", str(tmp_path / "none.csv"))
    assert status == 2 and "none.csv" in said
