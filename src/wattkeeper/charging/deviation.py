"""Where a station's words departed from the standard and were read all the same: one code and one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from wattkeeper.charging.phrase import Phrase, phrase


class Deviation(StrEnum):
    """What was odd about a message that was understood; the value stands in `Fact.deviations`."""

    # the envelope
    BYTE_ORDER_MARK = "byte_order_mark"
    CONTROL_CHARACTERS = "control_characters"
    ODD_ENVELOPE = "odd_envelope"
    ODD_PAYLOAD = "odd_payload"
    # members
    UNKNOWN_MEMBER = "unknown_member"
    MEMBER_CASE = "member_case"
    NULL_MEMBER = "null_member"
    MISSING_MEMBER = "missing_member"
    WRONG_TYPE = "wrong_type"
    OBJECT_FOR_ARRAY = "object_for_array"
    ARRAY_FOR_OBJECT = "array_for_object"
    EMPTY_ARRAY = "empty_array"
    TOO_MANY = "too_many"
    # texts and words
    NUMBER_FOR_STRING = "number_for_string"
    STRING_FOR_NUMBER = "string_for_number"
    STRING_FOR_BOOLEAN = "string_for_boolean"
    LONG_TEXT = "long_text"
    ODD_CHARACTERS = "odd_characters"
    WORD_CASE = "word_case"
    UNKNOWN_WORD = "unknown_word"
    # card numbers
    LONG_CARD = "long_card_number"
    EMPTY_CARD = "empty_card_number"
    # times
    ZONELESS_TIME = "zoneless_time"
    ODD_TIME = "odd_time"
    EPOCH_TIME = "epoch_time"
    UNREADABLE_TIME = "unreadable_time"
    NO_TIME = "no_time"
    UNDATED_READING = "undated_reading"
    # numbers
    FRACTION_FOR_INTEGER = "fraction_for_integer"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    RESERVATION_ZERO = "reservation_zero"
    # measured values
    DECIMAL_COMMA = "decimal_comma"
    ODD_NUMBER = "odd_number"
    UNREADABLE_VALUE = "unreadable_value"
    ODD_UNIT = "odd_unit"
    WRONG_UNIT = "wrong_unit"
    UNKNOWN_UNIT = "unknown_unit"
    PHASE_IN_MEASURAND = "phase_in_measurand"
    CONFLICTING_VALUES = "conflicting_values"
    # events
    GUESSED_EVENT = "guessed_event"
    OTHER_CONNECTOR = "other_connector"


SENTENCES: Mapping[Deviation, Phrase] = {
    Deviation.BYTE_ORDER_MARK: phrase("The message began with a byte order mark; it was dropped."),
    Deviation.CONTROL_CHARACTERS: phrase(
        "The message held raw control characters, which JSON forbids; they were dropped."
    ),
    Deviation.ODD_ENVELOPE: phrase(
        "The message's type, id or length was not as OCPP-J says; it was read for its energy."
    ),
    Deviation.ODD_PAYLOAD: phrase("The payload was not an object; what it held was read."),
    Deviation.UNKNOWN_MEMBER: phrase("The message had a member that the standard does not know; it was set aside."),
    Deviation.MEMBER_CASE: phrase("A member's name had the wrong case; it was read under the standard's name."),
    Deviation.NULL_MEMBER: phrase("A member was null; it was read as absent."),
    Deviation.MISSING_MEMBER: phrase("A member that the standard requires was missing."),
    Deviation.WRONG_TYPE: phrase("A member had a type that says nothing in its place; it was set aside."),
    Deviation.OBJECT_FOR_ARRAY: phrase("A single value stood where a list belongs; it was read as a list of one."),
    Deviation.ARRAY_FOR_OBJECT: phrase("A list stood where a single object belongs; its only entry was read."),
    Deviation.EMPTY_ARRAY: phrase("A list that must hold something was empty."),
    Deviation.TOO_MANY: phrase("A list was longer than the standard allows; all of it was read."),
    Deviation.NUMBER_FOR_STRING: phrase("A number stood where a text belongs; it was read as text."),
    Deviation.STRING_FOR_NUMBER: phrase("A text stood where a number belongs; the number in it was read."),
    Deviation.STRING_FOR_BOOLEAN: phrase("Something else stood where true or false belongs; its meaning was clear."),
    Deviation.LONG_TEXT: phrase("A text was longer than the standard allows; at most 255 characters were kept."),
    Deviation.ODD_CHARACTERS: phrase(
        "A text held control, direction-changing or unprintable characters; they were dropped."
    ),
    Deviation.WORD_CASE: phrase("A word of the standard was spelled with other case or punctuation."),
    Deviation.UNKNOWN_WORD: phrase("A word stood where the standard lists others; it was kept as said."),
    Deviation.LONG_CARD: phrase("A card number was longer than the standard allows; its beginning was compared."),
    Deviation.EMPTY_CARD: phrase("A card number was empty or not a text; no card was read."),
    Deviation.ZONELESS_TIME: phrase("The station's time had no zone; read as UTC."),
    Deviation.ODD_TIME: phrase("The station's time was not written as the standard says; it could be read."),
    Deviation.EPOCH_TIME: phrase("The station's time was a count of seconds since 1970; it could be read."),
    Deviation.NO_TIME: phrase("The station told no time; the time of receipt stands for it."),
    Deviation.UNREADABLE_TIME: phrase("The station's time could not be read."),
    Deviation.UNDATED_READING: phrase("A reading had no readable time; the time of receipt stands for it."),
    Deviation.FRACTION_FOR_INTEGER: phrase("A number had a fraction where whole numbers belong; it was kept exactly."),
    Deviation.NUMBER_OUT_OF_RANGE: phrase("A number was beyond anything that can be meant; it was set aside."),
    Deviation.RESERVATION_ZERO: phrase("Reservation zero or less was named; read as no reservation."),
    Deviation.DECIMAL_COMMA: phrase("A value was written with a decimal comma."),
    Deviation.ODD_NUMBER: phrase(
        "A value was written in an unusual form (exponent, sign, spaces or unit); it could be read."
    ),
    Deviation.UNREADABLE_VALUE: phrase("A sampled value held no number; it was skipped."),
    Deviation.ODD_UNIT: phrase("A unit was spelled in another way than the standard's."),
    Deviation.WRONG_UNIT: phrase("A unit does not belong to what was measured; the measurand was believed."),
    Deviation.UNKNOWN_UNIT: phrase("A unit is unknown; the value was kept as said and not converted."),
    Deviation.PHASE_IN_MEASURAND: phrase("A phase was written into the measurand's name."),
    Deviation.CONFLICTING_VALUES: phrase(
        "Two different values were given for one quantity at one instant; both were kept."
    ),
    Deviation.OTHER_CONNECTOR: phrase(
        "A reading of one connector named the transaction of another; it was kept, not counted."
    ),
    Deviation.GUESSED_EVENT: phrase("The kind of transaction event was missing or unknown; it was told from the rest."),
}
"""What each code means, for a person."""
