"""What an OCPP 1.6 station answers to its central system, and what it does then.

Whatever is not answered here the library answers with NotImplemented, and unknown actions with
NotSupported.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ocpp.v16 import ChargePoint, call_result

from wattkeeper.simulator.charge import Charge, Connector, Ending, Till
from wattkeeper.simulator.orders import (
    LONGEST_LIST,
    MOST_AT_ONCE,
    OWN_VENDOR,
    Setting,
    call_driver,
    each,
    heartbeat_interval,
    keep,
    key_change,
    listed,
    reading_interval,
    set_operative,
    take_local_list,
    unlock,
)
from wattkeeper.simulator.visit import free_connector
from wattkeeper.simulator.wire import Wire, answers

if TYPE_CHECKING:
    from wattkeeper.simulator.v16.telling import Station16

LONGEST_KEY_LIST = 50
COSTS = "CustomDisplayCostAndPrice"
"""The key of a station that shows prices and costs, by the extension that California asks for."""
COST_VENDOR = "org.openchargealliance.costmsg"


def configuration(station: Station16) -> dict[str, Setting]:
    """The keys that this station knows (1.6 edition 2, clause 9)."""
    return {
        "AuthorizeRemoteTxRequests": Setting("false"),
        "AuthorizationCacheEnabled": Setting("true"),
        "AuthorizationKey": Setting("", key_change(station), secret=True),
        "ConnectionTimeOut": Setting("60", keep),
        **({COSTS: Setting("true"), "NumberOfDecimalsForCostValues": Setting("2")} if station.shows_costs else {}),
        "GetConfigurationMaxKeys": Setting(str(LONGEST_KEY_LIST)),
        "HeartbeatInterval": Setting(str(int(station.heartbeat_s)), heartbeat_interval(station)),
        "LocalAuthListEnabled": Setting("true", keep),
        "LocalAuthListMaxLength": Setting(str(LONGEST_LIST)),
        "LocalAuthorizeOffline": Setting("true"),
        "LocalPreAuthorize": Setting("false"),
        "MeterValueSampleInterval": Setting(str(int(station.reading_every_s)), reading_interval(station)),
        "MeterValuesSampledData": Setting(
            "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC,Temperature"
        ),
        "NumberOfConnectors": Setting(str(len(station.connectors))),
        "SecurityProfile": Setting("1"),
        "SendLocalListMaxLength": Setting(str(MOST_AT_ONCE)),
        "StopTransactionOnEVSideDisconnect": Setting("true"),
        "StopTransactionOnInvalidId": Setting("true"),
        "SupportedFeatureProfiles": Setting("Core,LocalAuthListManagement,RemoteTrigger"),
    }


class Wire16(Wire, ChargePoint):  # type: ignore[misc]
    """One conversation of an OCPP 1.6 station."""

    station: Station16

    @answers("RemoteStartTransaction")
    def start_charge(self, id_tag: str, connector_id: int | None = None, **_: Any) -> Any:
        """A driver comes to the connector, if it is free."""
        if free_connector(self.station, connector_id) is None or not self.station.booted:
            return call_result.RemoteStartTransaction(status="Rejected")
        self.afterwards.append(lambda: call_driver(self.station, connector_id, id_tag))
        return call_result.RemoteStartTransaction(status="Accepted")

    @answers("RemoteStopTransaction")
    def stop_charge(self, transaction_id: int, **_: Any) -> Any:
        """End the charge with that transaction id, if there is one."""
        charge = self._charge(transaction_id)
        if charge is None:
            return call_result.RemoteStopTransaction(status="Rejected")
        self.afterwards.append(lambda: charge.want(Ending.REMOTE))
        return call_result.RemoteStopTransaction(status="Accepted")

    def _charge(self, transaction_id: int) -> Charge | None:
        running = (charge for charge in self.station.charges() if charge.ended_at is None)
        return next((charge for charge in running if charge.transaction_id == transaction_id), None)

    @answers("Reset")
    def reset(self, type: str, **_: Any) -> Any:
        """End what runs and boot again."""
        ending = Ending.HARD_RESET if type == "Hard" else Ending.SOFT_RESET
        self.afterwards.append(lambda: self.station.spawn(self.station.reset(ending, "RemoteReset")))
        return call_result.Reset(status="Accepted")

    @answers("UnlockConnector")
    def unlock(self, connector_id: int, **_: Any) -> Any:
        """Unlock; a charge that runs there ends."""
        connector = self._connector(connector_id)
        if connector is None:
            return call_result.UnlockConnector(status="NotSupported")
        self.afterwards.append(lambda: unlock(connector))
        return call_result.UnlockConnector(status="Unlocked")

    @answers("ChangeAvailability")
    def change_availability(self, connector_id: int, type: str, **_: Any) -> Any:
        """In or out of service; a taken connector follows later. Connector 0 is the whole station."""
        connectors = self._connectors(connector_id)
        if not connectors:
            return call_result.ChangeAvailability(status="Rejected")
        operative = type == "Operative"
        self.afterwards.append(lambda: set_operative(self.station, connectors, operative))
        taken = any(connector.taken for connector in connectors)
        return call_result.ChangeAvailability(status="Scheduled" if taken else "Accepted")

    @answers("GetConfiguration")
    def get_configuration(self, key: list[str] | None = None, **_: Any) -> Any:
        """The keys asked for, or all; a secret's value is never told."""
        known = self.station.configuration
        asked = key or list(known)
        return call_result.GetConfiguration(
            configuration_key=[_entry(one, known[one]) for one in asked if one in known],
            unknown_key=[one for one in asked if one not in known],
        )

    @answers("ChangeConfiguration")
    def change_configuration(self, key: str, value: str, **_: Any) -> Any:
        """Set a key and act on it."""
        setting = self.station.configuration.get(key)
        if setting is None:
            return call_result.ChangeConfiguration(status="NotSupported")
        return call_result.ChangeConfiguration(status="Accepted" if setting.change(value) else "Rejected")

    @answers("TriggerMessage")
    def trigger(self, requested_message: str, connector_id: int | None = None, **_: Any) -> Any:
        """Send the message asked for, after this answer."""
        connectors = self._connectors(connector_id or 0)
        if not connectors:
            return call_result.TriggerMessage(status="Rejected")
        deed = self._triggered(requested_message, connectors)
        if deed is None:
            return call_result.TriggerMessage(status="NotImplemented")
        self.afterwards.append(deed)
        return call_result.TriggerMessage(status="Accepted")

    def _triggered(self, message: str, connectors: list[Connector]) -> Callable[[], object] | None:
        station = self.station
        deeds: dict[str, Callable[[], object]] = {
            "BootNotification": station.boot_again,
            "Heartbeat": lambda: station.spawn(station.beat()),
            "StatusNotification": lambda: each(station.tell_status, connectors),
            "MeterValues": lambda: each(station.tell_triggered, connectors),
        }
        return deeds.get(message)

    @answers("SendLocalList")
    def send_local_list(self, list_version: int, update_type: str, **more: Any) -> Any:
        """Take the local list."""
        if not self.station.keeps_list:
            return call_result.SendLocalList(status="NotSupported")
        told = more.get("local_authorization_list") or []
        entries = {entry["id_tag"]: listed(entry.get("id_tag_info"), "expiry_date") for entry in told}
        status = take_local_list(self.station, list_version, update_type == "Full", entries)
        return call_result.SendLocalList(status=status)

    @answers("GetLocalListVersion")
    def get_local_list_version(self, **_: Any) -> Any:
        """The version of the local list, 0 where there is none, -1 where there never will be."""
        kept = self.station.keeps_list
        return call_result.GetLocalListVersion(list_version=self.station.local_list_version if kept else -1)

    @answers("ClearCache")
    def clear_cache(self, **_: Any) -> Any:
        """Forget every card that was accepted before."""
        self.station.cards.clear()
        return call_result.ClearCache(status="Accepted")

    @answers("DataTransfer")
    def data_transfer(self, vendor_id: str, message_id: str | None = None, data: str | None = None, **_: Any) -> Any:
        """Know what prices and costs are said with; our own extensions are none."""
        if vendor_id == COST_VENDOR and self.station.shows_costs:
            return call_result.DataTransfer(status=self._show_money(message_id, data or ""))
        status = "UnknownMessageId" if vendor_id == OWN_VENDOR else "UnknownVendorId"
        return call_result.DataTransfer(status=status)

    def _show_money(self, message: str | None, data: str) -> str:
        """Show a price or a cost; the status to answer with."""
        try:
            told = json.loads(data, parse_float=Decimal)
            charge = self._meant(told)
            shown = {"SetUserPrice": _price, "RunningCost": _cost, "FinalCost": _total}.get(message or "")
            if shown is None or charge is None:
                return "UnknownMessageId" if shown is None else "Rejected"
            self.station.tell_human(f"display: {shown(charge.till, told)}", charge.connector)
        except (KeyError, TypeError, ValueError, ArithmeticError):
            return "Rejected"
        return "Accepted"

    def _meant(self, told: dict[str, Any]) -> Charge | None:
        if "transactionId" in told:
            return self.station.billed(lambda charge: charge.transaction_id == told["transactionId"])
        return next((charge for charge in self.station.charges() if charge.card == told["idToken"]), None)

    def _connector(self, number: int) -> Connector | None:
        return next((one for one in self.station.connectors if one.number == number), None)

    def _connectors(self, number: int) -> list[Connector]:
        return [one for one in self.station.connectors if number in (0, one.number)]


def _price(till: Till, told: dict[str, Any]) -> str:
    till.price = str(told["priceText"])
    return till.price


def _cost(till: Till, told: dict[str, Any]) -> str:
    at, wh, state = told["timestamp"], told["meterValue"], told["state"]
    if state not in ("Charging", "Idle") or type(wh) is not int or "kWhPrice" not in told["chargingPrice"]:
        raise ValueError(state)
    till.units = told
    till.costs.append(Decimal(told["cost"]))
    return f"{till.costs[-1]} so far, at {at[11:16]}"


def _total(till: Till, told: dict[str, Any]) -> str:
    till.total, till.text, till.link = Decimal(told["cost"]), str(told["priceText"]), told.get("qrCodeText")
    return f"{till.total} in total"


def _entry(key: str, setting: Setting) -> dict[str, Any]:
    shown = {} if setting.secret else {"value": setting.value}
    return {"key": key, "readonly": setting.readonly, **shown}
