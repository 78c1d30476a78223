"""How far a viewer sees, as conditions of queries: everything, the own sites, or what is one's own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select, true

from wattkeeper.charging.person import Reach, Scope, Viewer
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
    return held(viewer.person) if reach is Reach.OWN else _at_sites(viewer, session.c.station_id, reach)


def totals(viewer: Viewer, station_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Which totals of stations the viewer may read: of all whose sessions they may; never a driver's own alone."""
    return _at_sites(viewer, station_id, viewer.reach(Scope.SESSIONS_READ))


def site_totals(viewer: Viewer, site: ColumnElement[Any]) -> ColumnElement[bool]:
    """Which totals of sites the viewer may read."""
    reach = viewer.reach(Scope.SESSIONS_READ)
    if reach is Reach.ANYWHERE:
        return true()
    return and_(site.in_(sorted(viewer.sites)), site != "") if reach is Reach.SITES else false()


def entries(viewer: Viewer) -> ColumnElement[bool]:
    """Which rows of `journal` the viewer may know of; Refusal FORBIDDEN where none ever."""
    reach = viewer.reach(Scope.SESSIONS_READ)
    if reach is not Reach.OWN:
        return _at_sites(viewer, journal.c.station_id, reach)
    ours = select(session.c.id).where(session.c.id == journal.c.session_id, held(viewer.person))
    return and_(journal.c.session_id.is_not(None), exists(ours.correlate(journal)))


def beside(viewer: Viewer, station_id: str) -> ColumnElement[bool]:
    """Which rows of `journal` of a station the viewer may read around its sessions.

    A driver who charged there reads what the station went through, and nothing of other sessions.
    """
    reach = viewer.reach(Scope.SESSIONS_READ)
    if reach is not Reach.OWN:
        return _at_sites(viewer, journal.c.station_id, reach)
    own = exists(select(session.c.id).where(session.c.station_id == station_id, held(viewer.person)))
    return and_(own, journal.c.session_id.is_(None))


def alerts(viewer: Viewer) -> ColumnElement[bool]:
    """Which rows of `alert` the viewer may read: those about stations and sites that they may."""
    reach = viewer.reach(Scope.STATIONS_READ)
    if reach is not Reach.SITES:
        return true() if reach is Reach.ANYWHERE else false()
    at_station = and_(alert.c.station_id != "", _at_sites(viewer, alert.c.station_id, reach))
    return or_(at_station, and_(alert.c.station_id == "", alert.c.site != "", alert.c.site.in_(sorted(viewer.sites))))


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
    return _at_sites(viewer, bill.c.station_id, reach)


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


def _at_sites(viewer: Viewer, column: ColumnElement[Any], reach: Reach) -> ColumnElement[bool]:
    """What concerns stations of the viewer's sites, or everything."""
    if reach is Reach.ANYWHERE:
        return true()
    ours = select(station.c.id).where(station.c.site.in_(sorted(viewer.sites)), station.c.site != "")
    return column.in_(ours) if reach is Reach.SITES else false()
