"""Money in and out, wired together: what doors are handed as ``payments``."""

from __future__ import annotations

from dataclasses import dataclass

from wattkeeper.bus import Bus
from wattkeeper.operations.money.payments.deeds import MoneyDeeds
from wattkeeper.operations.money.payments.hearing import Hearing
from wattkeeper.operations.money.payments.provider import Provider
from wattkeeper.operations.money.payments.wallet import Wallets
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store


@dataclass(frozen=True, slots=True)
class Payments:
    """Each by its noun."""

    wallets: Wallets
    deeds: MoneyDeeds
    provider: Provider | None
    """Who takes payments by card; None: nobody."""
    hearing: Hearing | None
    """What the provider tells; None where nobody can prove that it is the provider."""


def payments_of(store: Store, bus: Bus, settings: Settings, provider: Provider | None) -> Payments:
    """The payments of one installation."""
    return Payments(
        wallets=Wallets(store, bus, settings, provider),
        deeds=MoneyDeeds(store, bus, settings),
        provider=provider,
        hearing=Hearing(store, bus, provider) if provider and settings.stripe_secret_file else None,
    )
