"""How far a viewer sees, as conditions of queries: everything, the own sites, or what is one's own.

A host sees the stations that stand at their sites, and what happened at stations while they stood there.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, true

from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import alert, alert_rule, bill, card, holding, journal, session, station


def stations(viewer: Viewer) -> ColumnElement[bool]:
    """Which rows of `station` the viewer may read; Refusal FORBIDDEN where none ever."""
    return _at_sites(viewer, station.c.id, viewer.reach(Scope.STATIONS_READ))


def station_named(viewer: Viewer, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Which rows that name their station in this column the viewer may read; Refusal FORBIDDEN where none ever."""
    return _at_sites(viewer, column, viewer.reach(Scope.STATIONS_READ))


def sessions(viewer: Viewer) -> ColumnElement[bool]:
    """Which rows of `session` the viewer may read; Refusal FORBIDDEN where none ever."""
    reach = viewer.reach(Scope.SESSIONS_READ)
    if reach is Reach.OWN:
        return held(viewer.person)
    return _happened(viewer, session.c.station_id, placement.session_at(), reach)


def site_totals(viewer: Viewer, site: ColumnElement[Any]) -> ColumnElement[bool]:
    """Which totals of sites the viewer may read: of all whose sessions they may; never a driver's own alone."""
    return _of_sites(viewer, site, viewer.reach(Scope.SESSIONS_READ))


def entries(viewer: Viewer) -> ColumnElement[bool]:
    """Which rows of `journal` the viewer may know of; Refusal FORBIDDEN where none ever."""
    reach = viewer.reach(Scope.SESSIONS_READ)
    if reach is not Reach.OWN:
        return _recorded(viewer, reach)
    ours = select(session.c.id).where(session.c.id == journal.c.session_id, held(viewer.person))
    return and_(journal.c.session_id.is_not(None), exists(ours.correlate(journal)))


def beside(viewer: Viewer, station_id: str) -> ColumnElement[bool]:
    """Which rows of `journal` of a station the viewer may read around its sessions.

    A driver who charged there reads what the station went through, and nothing of other sessions.
    """
    reach = viewer.reach(Scope.SESSIONS_READ)
    if reach is not Reach.OWN:
        return _recorded(viewer, reach)
    own = exists(select(session.c.id).where(session.c.station_id == station_id, held(viewer.person)))
    return and_(own, journal.c.session_id.is_(None))


def told(viewer: Viewer) -> ColumnElement[bool]:
    """Which rows of `journal` the viewer may read as what a station told; Refusal FORBIDDEN where none ever."""
    return _recorded(viewer, viewer.reach(Scope.STATIONS_READ))


def alerts(viewer: Viewer) -> ColumnElement[bool]:
    """Which rows of `alert` the viewer may read: those about what stood at their sites when they were raised."""
    return _of_sites(viewer, alert.c.site, viewer.reach(Scope.STATIONS_READ))


def alert_rules(viewer: Viewer) -> ColumnElement[bool]:
    """Which rows of `alert_rule` the viewer may read: a host those about the own sites and nothing else."""
    reach, r = viewer.reach(Scope.STATIONS_READ), alert_rule.c
    if reach is not Reach.SITES:
        return true() if reach is Reach.ANYWHERE else false()
    at_station = and_(r.reach == "station", _at_sites(viewer, r.subject, reach))
    return or_(at_station, and_(r.reach == "site", r.subject != "", r.subject.in_(sorted(viewer.sites))))


def may_know_card(viewer: Viewer) -> bool:
    """Whether the viewer is told on which card a session ran."""
    return Scope.CARDS_READ in viewer.scopes | viewer.own


def cards(viewer: Viewer) -> ColumnElement[bool]:
    """Which rows of `card` the viewer may read; Refusal FORBIDDEN where none ever."""
    if viewer.reach(Scope.CARDS_READ) is Reach.ANYWHERE:
        return true()
    return and_(card.c.person_id == viewer.person, card.c.person_id != "")


def bills(viewer: Viewer) -> ColumnElement[bool]:
    """Which rows of `bill` the viewer may read; Refusal FORBIDDEN where none ever."""
    reach = viewer.reach(Scope.BILLS_READ)
    if reach is Reach.OWN:
        return and_(bill.c.person_id == viewer.person, bill.c.person_id != "")
    return _of_sites(viewer, bill.c.site, reach)


def held(person: str) -> ColumnElement[bool]:
    """The sessions that ran on a token while this person held it; a card given away takes no history along.

    Stations' clocks may be wrong, so ours has a say: a session is the holder's of when it was heard of, and not what
    the station says began before they held the card. What is in doubt is nobody's but the staff's.
    """
    if not person:
        return false()
    s, h = session.c, holding.c
    still = or_(h.until.is_(None), s.known_at < h.until)
    spans = and_(h.ref == s.token, s.started_at >= h.since, s.known_at >= h.since, still)
    return exists(select(holding.c.id).where(spans, holding.c.person_id == person).correlate(session))


def _of_sites(viewer: Viewer, site: ColumnElement[Any], reach: Reach) -> ColumnElement[bool]:
    """What has its site beside it, and that is the viewer's; or everything."""
    if reach is Reach.ANYWHERE:
        return true()
    return and_(site.in_(sorted(viewer.sites)), site != "") if reach is Reach.SITES else false()


def _happened(
    viewer: Viewer, station_id: ColumnElement[Any], at: ColumnElement[Any], reach: Reach
) -> ColumnElement[bool]:
    """What happened at a station while it stood at one of the viewer's sites, or everything."""
    if reach is Reach.ANYWHERE:
        return true()
    return placement.stood_at(station_id, at, viewer.sites) if reach is Reach.SITES else false()


def _recorded(viewer: Viewer, reach: Reach) -> ColumnElement[bool]:
    """What a station told while it stood at one of the viewer's sites, of a session where that ran; or everything."""
    its = select(placement.session_at()).where(session.c.id == journal.c.session_id).correlate(journal)
    at = func.coalesce(its.scalar_subquery(), journal.c.received_at)
    return _happened(viewer, journal.c.station_id, at, reach)


def _at_sites(viewer: Viewer, column: ColumnElement[Any], reach: Reach) -> ColumnElement[bool]:
    """What concerns stations that stand at the viewer's sites, or everything."""
    if reach is Reach.ANYWHERE:
        return true()
    ours = select(station.c.id).where(station.c.site.in_(sorted(viewer.sites)), station.c.site != "")
    return column.in_(ours) if reach is Reach.SITES else false()
