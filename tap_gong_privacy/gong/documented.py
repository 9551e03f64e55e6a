"""The answer that Gong documents, declared once.

Names, types, descriptions and documented values come from Gong's page "Retrieve all references to an email address"
(`GET /v2/data-privacy/data-for-email-address`). The JSON schemas, the column names and every repair of a value follow
from this declaration.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import cached_property


class Kind(enum.Enum):
    """What a documented field holds."""

    TEXT = enum.auto()
    DATE_TIME = enum.auto()
    ANY = enum.auto()
    """Any JSON value."""
    OBJECTS = enum.auto()
    """A list of objects, whose fields are documented too."""


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
        values: Gong's list of valid values. It is not enforced, because Gong's own example breaks it.
        fields: The fields of each object, if `kind` is `OBJECTS`.
    """

    name: str
    kind: Kind
    description: str
    values: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()

    @cached_property
    def column(self) -> str:
        """The name of the column."""
        return snake_case(self.name)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields of each object, by Gong's name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def empty(self) -> dict[str, object]:
        """An object with all columns of this list, in order, each of them null."""
        return dict.fromkeys(field.column for field in self.fields)


@dataclass(frozen=True)
class Section:
    """One of the five arrays of an answer, and the stream that it becomes.

    Attributes:
        name: Gong's name of the array.
        description: What the stream holds.
        key: The column that identifies a record among those of the same address.
        fields: The documented fields of each element.
        is_event: Whether Gong sends no id, so that `key` is a hash of the documented fields.
        joins_twins: Whether elements with the same key become one record, with the objects of all of them.
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
        """The columns of text fields, by Gong's name."""
        return self._columns(Kind.TEXT)

    @cached_property
    def date_times(self) -> dict[str, str]:
        """The columns of date-time fields, by Gong's name."""
        return self._columns(Kind.DATE_TIME)

    def _columns(self, kind: Kind) -> dict[str, str]:
        return {field.name: field.column for field in self.fields if field.kind is kind}


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
