"""The command line: ``wattkeeper --help``."""

from __future__ import annotations

import sys

import typer

from wattkeeper.commands import alerts, audit, imports, installation, sessions, simulate, stations, statistics, terms
from wattkeeper.commands.money import bills, grid, papers, payments
from wattkeeper.commands.money.books import books
from wattkeeper.commands.money.revenue import revenue
from wattkeeper.commands.people import accounts, cards, owner, policy, staff, tokens
from wattkeeper.commands.privacy import consents, holds, privacy, release
from wattkeeper.commands.privacy.looks import looks
from wattkeeper.commands.privacy.register import register
from wattkeeper.commands.proof import backup, keys, log, materials, security, verify, witness
from wattkeeper.commands.terminal import err

app = typer.Typer(
    help="Wattkeeper: every charging session authenticated, metered, priced and kept private, and open to check.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(installation.app)
app.command("simulate")(simulate.simulate)
app.add_typer(sessions.app, name="sessions")
app.add_typer(cards.app, name="cards")
app.add_typer(stations.app, name="stations")
app.add_typer(accounts.app, name="accounts")
app.add_typer(owner.app, name="owner")
app.add_typer(staff.app, name="staff")
app.add_typer(tokens.app, name="tokens")
app.add_typer(policy.app, name="policy")
app.add_typer(consents.app, name="consents")
app.add_typer(holds.app, name="holds")
app.add_typer(privacy.app, name="privacy")
bills.app.command("paper")(papers.paper)
app.add_typer(bills.app, name="bills")
app.command("explain")(bills.explain)
audit.app.command("security")(security.security)
audit.app.command("packages")(materials.packages)
app.add_typer(audit.app, name="audit")
app.add_typer(payments.app, name="payments")
app.add_typer(alerts.app, name="alerts")
app.add_typer(grid.app, name="grid")
app.add_typer(terms.app, name="terms")
app.add_typer(imports.app, name="import")
app.add_typer(release.app, name="release")
app.add_typer(statistics.app, name="statistics")
app.add_typer(keys.app, name="keys")
app.add_typer(backup.app, name="backup")
app.add_typer(backup.restoring, name="restore")
app.add_typer(verify.app, name="verify")
app.add_typer(log.app, name="log")
app.add_typer(witness.app, name="witness")
app.command("sbom")(materials.sbom)
app.command("revenue")(revenue)
app.command("books")(books)
app.command("register")(register)
app.command("looks")(looks)


def main() -> None:
    """Run the command line; a setting that is wrong is a sentence."""
    try:
        app()
    except ValueError as problem:
        err.print(str(problem), markup=False, soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
