"""`wattkeeper alerts`: what is on and what was, the rules, and a try whether a rule reaches whom it tells."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wattkeeper.commands.terminal import VIEWER, Database, fail, out, rooms_of, run

app = typer.Typer(help="Alerts: what is on, the rules that raise them, and whether they arrive.", no_args_is_help=True)
MOST = 500


@app.command("list")
def list_alerts(
    over: Annotated[bool, typer.Option("--over", help="Those that are over instead.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many at most.")] = 50,
    database: Database = None,
) -> None:
    """Print the alerts that are on, or were."""

    async def work() -> tuple[list[Any], dict[str, str], Any]:
        from wattkeeper.store.stations import station as stations

        async with rooms_of(database) as rooms:
            rows = await rooms.alerts.episodes.find(VIEWER, limit, is_open=not over)
            async with rooms.store.read() as connection:
                known = await stations.find(connection, VIEWER, 10_000)
            return rows, {one.id: one.label or one.id for one in known}, rooms.settings.zone

    rows, names, zone = run(work())
    if not rows:
        out.print("No alert is over." if over else "No alert is on.")
        return
    from wattkeeper.operations.alerts.told import ENDS, STATES, told_of

    table = Table("Alert", "Since", "State", "What", "", box=None)
    for row in rows:
        told, since = told_of(row, names), f"{row.raised_at.astimezone(zone):%Y-%m-%d %H:%M}"
        state = str(STATES[row.state]) + (f". {ENDS[row.ended]}" if row.ended in ENDS else "")
        table.add_row(*(escape(str(cell)) for cell in (row.id, since, state, told.title, told.why)))
    out.print(table)


@app.command("rules")
def list_rules(database: Database = None) -> None:
    """Print the rules, whom each tells, and which are paused."""

    async def work() -> tuple[list[Any], str]:
        async with rooms_of(database) as rooms:
            return await rooms.alerts.rules.find(VIEWER), rooms.settings.pay_currency

    rows, currency = run(work())
    if not rows:
        out.print("There is no rule yet. Make one on the page /alerts/rules, or by the API.")
        return
    from wattkeeper.operations.alerts.told import KINDS, reach_of, thresholds_of

    table = Table("Rule", "Name", "What", "Where", "When", "Tells", "", box=None)
    for row in rows:
        tells = f"{len(row.accounts)} by mail, {len(row.hooks)} by webhook"
        words = (KINDS[row.rule.kind], reach_of(row.rule, {}), thresholds_of(row.rule, currency))
        cells = (row.id, row.name, *words, tells, "paused" if row.paused_at else "")
        table.add_row(*(escape(str(cell)) for cell in cells))
    out.print(table)


@app.command("test")
def try_rule(
    rule: Annotated[str, typer.Argument(help="A rule's id or name, as `wattkeeper alerts rules` prints them.")],
    database: Database = None,
) -> None:
    """Tell everybody whom a rule tells that this is a try, and say what came of it; ends with 1 where one failed."""

    async def work() -> tuple[int, list[Any], dict[str, str]]:
        from wattkeeper.store.alerts import sending

        async with rooms_of(database) as rooms:
            found = [one for one in await rooms.alerts.rules.find(VIEWER) if rule in (one.id, one.name)]
            if len(found) != 1:
                many = "Several rules have this name: say the id." if found else f"There is no rule {rule!r}."
                fail(f"{many} `wattkeeper alerts rules` prints them.")
            count = await rooms.alerts.rules.test(VIEWER, found[0].id)
            await rooms.alerts.telling.look()
            async with rooms.store.read() as connection:
                tries = (await sending.newest_tries(connection, count)) if count else []
            names = await rooms.names.of(VIEWER, [one.account for one in tries if one.account])
            return count, tries, {one.id: one.name for one in await rooms.alerts.hooks.find(VIEWER)} | names

    count, tries, names = run(work())
    if not count:
        fail("This rule tells nobody. Choose who is told on its page, /alerts/rules.")
    for one in tries:
        kind, whom = ("account", one.account) if one.account else ("webhook", one.hook)
        out.print(f"{kind} {names.get(whom, whom)}: {_became(one)}", markup=False, soft_wrap=True)
    if any(one.state.value != "sent" for one in tries):
        raise typer.Exit(1)


def _became(one: Any) -> str:
    """What became of a try, in words."""
    if one.state.value == "sent":
        return "a letter is in the queue of mail" if one.account else f"taken ({one.answer})"
    from wattkeeper.operations.alerts.told import ANSWERS

    answer = ANSWERS.get(one.answer, one.answer) or "not tried yet"
    return f"not reached: {answer}" + (" It is tried again for a day." if one.state.value == "waiting" else "")
