"""The documented answer of Gong, declared once.

Names, types, descriptions and documented values are those of Gong's page "Retrieve all references to an email
address" (`GET /v2/data-privacy/data-for-email-address`). JSON schemas, the renaming to snake_case and every repair
follow from this declaration.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

JSONSchema: TypeAlias = dict[str, object]


class Kind(enum.Enum):
    """What a documented field holds."""

    TEXT = enum.auto()
    DATE_TIME = enum.auto()
    ANY = enum.auto()
    """Any JSON value."""
    OBJECTS = enum.auto()
    """A list of objects with documented fields of their own."""


def snake_case(name: str) -> str:
    """Return a documented camelCase name as a column name: `sentTime` becomes `sent_time`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@dataclass(frozen=True)
class Field:
    """A documented field.

    Attributes:
        name: Gong's name.
        kind: What it holds.
        description: Gong's description.
        values: Gong's list of valid values. Described, never enforced: Gong's own example breaks its list.
        fields: The fields of each object, where `kind` is `OBJECTS`.
    """

    name: str
    kind: Kind
    description: str
    values: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()

    @cached_property
    def column(self) -> str:
        """The name in records."""
        return snake_case(self.name)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields of each object, by Gong's name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def empty(self) -> dict[str, object]:
        """An object of this list in which nothing is filled in yet: each column, in order."""
        return dict.fromkeys(field.column for field in self.fields)

    @cached_property
    def json_schema(self) -> JSONSchema:
        """The field's JSON schema. Always nullable: Gong declares nothing required."""
        description = self.description
        if self.values:
            description += f" Documented values: {', '.join(self.values)}; others occur."
        return {**_type_of(self), "description": description}


def _type_of(field: Field) -> JSONSchema:
    match field.kind:
        case Kind.TEXT:
            return {"type": ["string", "null"]}
        case Kind.DATE_TIME:
            return {"type": ["string", "null"], "format": "date-time"}
        case Kind.ANY:
            # The union, not `{}`: SDK targets refuse an empty schema.
            return {"type": ["string", "number", "boolean", "object", "array", "null"]}
        case Kind.OBJECTS:
            properties = {inner.column: inner.json_schema for inner in field.fields}
            return {"type": ["array", "null"], "items": {"type": ["object", "null"], "properties": properties}}


@dataclass(frozen=True)
class Section:
    """One of the five arrays of an answer, and the stream that it becomes.

    Attributes:
        name: Gong's name of the array.
        description: What the stream holds.
        key: The column that tells the records of one address apart.
        fields: The documented fields of each element.
        is_event: Whether elements have no id of their own, so that `key` is a hash of the documented fields.
        joins_twins: Whether elements with equal keys are one record, with the objects of all.
    """

    name: str
    description: str
    key: str
    fields: tuple[Field, ...]
    is_event: bool = False
    joins_twins: bool = False

    @cached_property
    def stream(self) -> str:
        """The stream's name."""
        return snake_case(self.name)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The documented fields, by Gong's name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def texts(self) -> dict[str, str]:
        """The columns of the fields that hold text, by Gong's name."""
        return self._columns(Kind.TEXT)

    @cached_property
    def date_times(self) -> dict[str, str]:
        """The columns of the fields that hold a time, by Gong's name."""
        return self._columns(Kind.DATE_TIME)

    def _columns(self, kind: Kind) -> dict[str, str]:
        return {field.name: field.column for field in self.fields if field.kind is kind}

    @property
    def count_column(self) -> str:
        """The column of `lookups` that counts this stream's records."""
        return f"{self.stream}_count"

    @property
    def primary_keys(self) -> tuple[str, ...]:
        """The key of a record."""
        return (EMAIL_ADDRESS, self.key)

    @property
    def json_schema(self) -> JSONSchema:
        """The stream's JSON schema."""
        key: dict[str, JSONSchema] = {}
        if self.is_event:
            key[self.key] = {
                "type": ["string"],
                "description": "SHA-256 over the documented fields as Gong sent them, and over the occurrence where "
                "one answer holds equal events.",
            }
        documented = {field.column: field.json_schema for field in self.fields}
        if self.key in documented:
            description = documented.pop(self.key)["description"]
            key[self.key] = {"type": ["string"], "description": f"{description} `missing-<hash>` where Gong sent none."}
        return _stream_schema(key | documented, self.primary_keys)


EMAIL_ADDRESS = "email_address"
LOOKED_UP_AT = "looked_up_at"
REQUEST_ID = "request_id"
UNDOCUMENTED = "undocumented"

_FIRST_COLUMN: dict[str, JSONSchema] = {
    EMAIL_ADDRESS: {"type": ["string"], "description": "The address that Gong was asked about, as it was asked."},
}
_LAST_COLUMNS: dict[str, JSONSchema] = {
    LOOKED_UP_AT: {
        "type": ["string"],
        "format": "date-time",
        "description": "When Gong's answer arrived, or the last try ended (UTC).",
    },
    REQUEST_ID: {
        "type": ["string", "null"],
        "description": "A Gong request reference Id, generated for this request. Can be used for troubleshooting "
        "purposes.",
    },
    UNDOCUMENTED: {
        "type": ["object", "null"],
        "description": "What Gong returned on this level that its documentation does not list, verbatim, and "
        "documented values that do not fit their documented type, under their documented path.",
    },
}


def _stream_schema(columns: dict[str, JSONSchema], key: tuple[str, ...]) -> JSONSchema:
    properties = _FIRST_COLUMN | columns | _LAST_COLUMNS
    required = [name for name in properties if name in key or name == LOOKED_UP_AT]
    return {"type": "object", "properties": properties, "required": required}


_SYSTEMS = ("Salesforce", "HubSpot", "MicrosoftDynamic", "Generic")
_ISO_8601 = "in the ISO-8601 format; emitted in UTC."

SECTIONS = (
    Section(
        "emails",
        "Related email messages.",
        "id",
        (
            Field("from", Kind.TEXT, "The sender's email address."),
            Field("id", Kind.TEXT, "Gong's unique 32 character identifier for the email message."),
            Field("sentTime", Kind.DATE_TIME, f"The date and time the email message was sent {_ISO_8601}"),
            Field("mailbox", Kind.TEXT, "The mailbox from which the email was retrieved."),
            Field("messageHash", Kind.TEXT, "Hash code of the email message."),
        ),
    ),
    Section(
        "calls",
        "Related calls.",
        "id",
        (
            Field("id", Kind.TEXT, "Gong's unique numeric identifier for the call (up to 20 digits)."),
            Field("status", Kind.TEXT, "Call status."),
            Field(
                "externalSystems",
                Kind.OBJECTS,
                "A list of links to external systems such as CRM, Telephony System, Case Management, etc.",
                fields=(
                    Field("system", Kind.TEXT, "External system name.", _SYSTEMS),
                    Field(
                        "objects",
                        Kind.OBJECTS,
                        "List of objects within the external system.",
                        fields=(
                            Field("objectType", Kind.TEXT, "Object Type.", ("Conversation", "Task")),
                            Field("externalId", Kind.TEXT, "External ID."),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Section(
        "meetings",
        "Related meetings.",
        "id",
        (Field("id", Kind.TEXT, "Gong's unique identifier for the meeting."),),
    ),
    Section(
        "customerData",
        "Links to data from external systems (such as CRM, Telephony System, Case Management, etc.) that reference the "
        "email address and that Gong stores.",
        "system",
        (
            Field("system", Kind.TEXT, "External system name.", _SYSTEMS),
            Field(
                "objects",
                Kind.OBJECTS,
                "List of objects in the external system.",
                fields=(
                    Field(
                        "id",
                        Kind.TEXT,
                        "Gong's unique numeric identifier (up to 20 digits) for the Lead or Contact.",
                    ),
                    Field("objectType", Kind.TEXT, "Object Type.", ("Lead", "Contact")),
                    Field("externalId", Kind.TEXT, "External ID."),
                    Field("mirrorId", Kind.TEXT, "Crm Mirror ID."),
                    Field(
                        "fields",
                        Kind.OBJECTS,
                        "Object fields.",
                        fields=(
                            Field("name", Kind.TEXT, "Field name."),
                            Field("value", Kind.ANY, "Field value."),
                        ),
                    ),
                ),
            ),
        ),
        joins_twins=True,
    ),
    Section(
        "customerEngagement",
        "Customer's engagement (such as viewing external share call).",
        "event_hash",
        (
            Field(
                "eventType",
                Kind.TEXT,
                "Event type.",
                ("contentShared", "contentViewed", "customEvent", "digitalInteraction"),
            ),
            Field("timestamp", Kind.DATE_TIME, f"The date and time the event occurred {_ISO_8601}"),
            Field("contentId", Kind.TEXT, "Event content id."),
            Field("contentUrl", Kind.TEXT, "Event content url."),
            Field("reportingSystem", Kind.TEXT, "Event reporting system."),
            Field("eventName", Kind.TEXT, "Event name."),
            Field("sourceEventId", Kind.TEXT, "Source event Id."),
        ),
        is_event=True,
    ),
)

LOOKUPS = "lookups"
LOOKUPS_KEYS = (EMAIL_ADDRESS, LOOKED_UP_AT)
LOOKUPS_SCHEMA = _stream_schema(
    {
        "status": {
            "type": ["string"],
            "description": "How the look-up ended: `found`, `not_found`, `rejected` (Gong answered 400) or `failed` "
            "(no usable answer after all tries).",
        },
        "errors": {
            "type": ["array", "null"],
            "items": {"type": ["string"]},
            "description": "Gong's messages, or the tap's own reason; null where there is none.",
        },
        "http_status": {"type": ["integer", "null"], "description": "The last HTTP status; null where there was none."},
        **{
            section.count_column: {
                "type": ["integer", "null"],
                "description": f"How many records this answer makes in `{section.stream}`, selected or not; null "
                "unless `found` or `not_found`.",
            }
            for section in SECTIONS
        },
    },
    LOOKUPS_KEYS,
)
