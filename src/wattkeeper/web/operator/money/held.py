"""One held bill: why it waits with the evidence beside it, and what decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.billing import say
from wattkeeper.charging.money.discrepancy import OURS
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.operations.money.bills import Done
from wattkeeper.operations.money.tariffs.prices import Receipt
from wattkeeper.store.money import hold as holds
from wattkeeper.store.money import proposal as proposals
from wattkeeper.store.money import worklist
from wattkeeper.store.money.hold import HoldRow, HoldState
from wattkeeper.store.money.proposal import Deed, ProposalRow
from wattkeeper.web.operator.money import typed
from wattkeeper.web.operator.money.bill import BY_ITSELF, EMPTY, wish_of
from wattkeeper.web.operator.money.bills import DESK as BILLS
from wattkeeper.web.operator.money.desks import page
from wattkeeper.web.operator.money.lines import of_bill
from wattkeeper.web.operator.money.needs import of_proposal, path_of
from wattkeeper.web.operator.money.waiting import DESK
from wattkeeper.web.operator.need import Need
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.operator.said import money
from wattkeeper.web.operator.sessions.session import Story, identifier_of, told, view
from wattkeeper.web.problem import STATUS

DEEDS = {deed.value: deed for deed in Deed}
DID = {
    "proposed": Word(phrase("It is proposed."), phrase("It changes much, so a second person must agree.")),
    "billed": Word(phrase("It is settled, and what was billed stands.")),
    "waived": Word(phrase("It is waived, and waits no more.")),
    "agreed": Word(phrase("You agreed, and it is done.")),
    "rejected": Word(phrase("The proposal is turned down."), phrase("What waited waits on.")),
}
REFUSED = {
    Deed.ACCEPT: phrase("Nothing was billed."),
    Deed.CORRECT: phrase("Nothing was corrected."),
    Deed.WAIVE: phrase("Nothing was waived."),
}
BECAME: Mapping[HoldState, Phrase] = {
    HoldState.ACCEPTED: phrase("It was billed as told"),
    HoldState.CORRECTED: phrase("It was corrected"),
    HoldState.WAIVED: phrase("It was waived"),
    HoldState.CLEARED: phrase("It settled itself: later news spoke for it"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the page shows of a session."""

    story: Story
    receipt: Receipt
    waits: HoldRow | None
    settled: HoldRow | None
    """What became of it last."""
    proposed: ProposalRow | None
    by: Mapping[str, str]
    """How whoever had a hand in it is said."""


class Held:
    """``/money/waiting/{session}``, and what decides it."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, said: str, did: str = "") -> Response:
        """Why it waits."""
        viewer, identifier = await self._paper.need_viewer(request, Scope.BILLS_READ), identifier_of(said)
        return await self._page(request, viewer, identifier, word=DID.get(did))

    async def _case(self, viewer: Viewer, identifier: str) -> Case:
        """Everything about it; Refusal NOT_FOUND where nothing of the session waits or waited."""
        async with self._rooms.store.read() as connection:
            known = await holds.find(connection, viewer, 100, state=None, session=identifier)
            proposed = await worklist.proposed_for(connection, viewer, identifier)
            story = await told(self._paper, connection, viewer, identifier)
        waits = next((one for one in known if one.state is HoldState.OPEN), None)
        settled = None if waits is not None or not known else max(known, key=lambda one: one.settled_at or one.since)
        who = {one.settled_by for one in known if one.settled_by} | ({proposed.created_by} if proposed else set())
        receipt = await self._rooms.prices.receipt(viewer, identifier)
        if not known and proposed is None and not receipt.documents:
            raise Refusal(Code.NOT_FOUND, phrase("Nothing of this session waits, or ever waited."))
        by = await self._rooms.names.said(viewer, who)
        return Case(story, receipt, waits, settled, proposed, by | {OURS: BY_ITSELF})

    async def _page(
        self, request: Request, viewer: Viewer, identifier: str, status: int = 200, deed: str = "", **given: Any
    ) -> Response:
        """The page; ``deed``: which of the forms what is ``typed`` belongs to."""
        case, seen = await self._case(viewer, identifier), await self._rooms.bills.seen(viewer, identifier)
        told_, settings = case.receipt.bill, self._rooms.settings
        known, money_of = case.waits or case.settled, None
        if told_ is not None:
            money_of = [money(one, told_.currency, told_.digits) for one in (told_.net_minor, told_.vat_minor)]
            money_of.append(money(told_.gross_minor, told_.currency, told_.digits))
        form = given.pop("typed", EMPTY) | {"seen": typed.said(seen)}
        context: dict[str, Any] = {
            "case": case,
            "session": case.story.session,
            "place_of": case.story.place,
            "regions": view(self._paper, case.story).by_name,
            "reasons": [say(one) for one in known.reasons] if known else [],
            "lines": [] if told_ is None else list(of_bill(told_)),
            "sums": money_of,
            "currency": "" if told_ is None else told_.currency,
            "limit": None if told_ is None else money(settings.four_eyes_minor, told_.currency, told_.digits),
            "became": BECAME.get(case.settled.state) if case.settled else None,
            "need": self._need(viewer, case),
            "may_write": viewer.may(Scope.BILLS_WRITE),
            "typed": {one: form if one == deed else EMPTY | {"seen": form["seen"]} for one in DEEDS},
        }
        return page(self._paper, request, DESK, "held.html", viewer, status=status, **(context | given))

    def _need(self, viewer: Viewer, case: Case) -> Need | None:
        """What is proposed, and who may agree to it."""
        row = case.proposed
        if row is None:
            return None
        need = of_proposal(row, case.by[row.created_by], viewer)
        return replace(need, acts=tuple(act for act in need.acts if act.post))

    # --- what decides it --------------------------------------------------------------------------------------

    async def decide(self, request: Request, said: str, deed: str) -> Response:
        """Accept, correct or waive it, or propose that; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ, Scope.BILLS_WRITE)
        identifier, wanted = identifier_of(said), DEEDS.get(deed)
        if wanted is None:
            raise Refusal(Code.NOT_FOUND, phrase("What waits is accepted, corrected or waived, and nothing else."))
        form = EMPTY | await form_of(request)
        try:
            wish = await wish_of(self._paper, viewer, identifier, wanted, form)
            done = await self._rooms.bills.do(viewer, identifier, wish, typed.seen(form["seen"]))
        except Refusal as refusal:
            word = Word(REFUSED[wanted], refusal.why, "harm")
            return await self._page(request, viewer, identifier, STATUS[refusal.code], deed, word=word, typed=form)
        did = {Deed.ACCEPT: "billed", Deed.CORRECT: "corrected", Deed.WAIVE: "waived"}[wanted]
        return _onward(identifier, done, "proposed" if done.proposal else did)

    async def agree(self, request: Request, id: str) -> Response:
        """Carry out what somebody else proposed; or say why not."""
        viewer, row = await self._proposed(request, id)
        try:
            done = await self._rooms.bills.agree(viewer, id)
        except Refusal as refusal:
            word = Word(phrase("Nothing was done."), refusal.why, "harm")
            return await self._page(request, viewer, row.session, STATUS[refusal.code], word=word)
        return _onward(row.session, done, "agreed")

    async def reject(self, request: Request, id: str) -> Response:
        """Turn a proposal down; or say why not."""
        viewer, row = await self._proposed(request, id)
        try:
            await self._rooms.bills.reject(viewer, id)
        except Refusal as refusal:
            word = Word(phrase("Nothing was done."), refusal.why, "harm")
            return await self._page(request, viewer, row.session, STATUS[refusal.code], word=word)
        return _onward(row.session, Done(), "rejected")

    async def _proposed(self, request: Request, identifier: str) -> tuple[Viewer, ProposalRow]:
        """Who asks, and the proposal that it is about; Refusal NOT_FOUND."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ, Scope.BILLS_WRITE)
        async with self._rooms.store.read() as connection:
            row = await proposals.one(connection, viewer, identifier)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such proposal."))
        return viewer, row


def _onward(session: str, done: Done, did: str) -> Response:
    """To the document that came of a deed, else to what became of the session."""
    path = f"{BILLS}/{done.number}" if done.number else path_of(session)
    return RedirectResponse(f"{path}?did={did}", 303)


def router(paper: Paper) -> APIRouter:
    """``/money/waiting/{session}``, and what decides it."""
    pages, routes = Held(paper), routes_of(paper)
    routes.add_api_route(DESK + "/{said}", pages.show, methods=["GET"])
    routes.add_api_route(DESK + "/{said}/{deed}", pages.decide, methods=["POST"])
    routes.add_api_route(DESK + "/{said}/{deed}", pages.show, methods=["GET"])
    routes.add_api_route("/money/proposals/{id}/agree", pages.agree, methods=["POST"])
    routes.add_api_route("/money/proposals/{id}/reject", pages.reject, methods=["POST"])
    return routes
