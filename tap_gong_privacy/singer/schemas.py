"""The JSON schemas of the six streams, derived from the answer that Gong documents."""

from __future__ import annotations

from typing import TypeAlias

from tap_gong_privacy.gong.documented import SECTIONS, Field, Kind, Section

JSONSchema: TypeAlias = dict[str, object]

EMAIL_ADDRESS = "email_address"
LOOKED_UP_AT = "looked_up_at"
REQUEST_ID = "request_id"
UNDOCUMENTED = "undocumented"
LOOKUPS = "lookups"

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


def count_column(section: Section) -> str:
    """Return the name of the column of `lookups` that counts the records of a section."""
    return f"{section.stream}_count"


def primary_keys(section: Section) -> tuple[str, ...]:
    """Return the key columns of a section's stream."""
    return (EMAIL_ADDRESS, section.key)


def section_schema(section: Section) -> JSONSchema:
    """Return the JSON schema of a section's stream."""
    key: dict[str, JSONSchema] = {}
    if section.is_event:
        key[section.key] = {
            "type": ["string"],
            "description": "SHA-256 over the documented fields as Gong sent them, and over the occurrence "
            "number if one answer holds equal events.",
        }
    documented = {field.column: field_schema(field) for field in section.fields}
    if section.key in documented:
        description = documented.pop(section.key)["description"]
        key[section.key] = {"type": ["string"], "description": f"{description} `missing-<hash>` if Gong sent none."}
    return _stream_schema(key | documented, primary_keys(section))


def field_schema(field: Field) -> JSONSchema:
    """Return the JSON schema of a field. It is always nullable, because Gong declares no field as required."""
    description = field.description
    if field.values:
        description += f" Documented values: {', '.join(field.values)}; others occur."
    return {**_type_of(field), "description": description}


def _type_of(field: Field) -> JSONSchema:
    match field.kind:
        case Kind.TEXT:
            return {"type": ["string", "null"]}
        case Kind.DATE_TIME:
            return {"type": ["string", "null"], "format": "date-time"}
        case Kind.ANY:
            # All six types are listed, because targets built with the SDK refuse `{}`.
            return {"type": ["string", "number", "boolean", "object", "array", "null"]}
        case Kind.OBJECTS:
            properties = {inner.column: field_schema(inner) for inner in field.fields}
            return {"type": ["array", "null"], "items": {"type": ["object", "null"], "properties": properties}}


def _stream_schema(columns: dict[str, JSONSchema], key: tuple[str, ...]) -> JSONSchema:
    properties = _FIRST_COLUMN | columns | _LAST_COLUMNS
    required = [name for name in properties if name in key or name == LOOKED_UP_AT]
    return {"type": "object", "properties": properties, "required": required}


LOOKUPS_KEYS = (EMAIL_ADDRESS, LOOKED_UP_AT)
LOOKUPS_SCHEMA = _stream_schema(
    {
        "api_url": {
            "type": ["string"],
            "description": "The base URL that was asked, so that evidence says which Gong it is about.",
        },
        "status": {
            "type": ["string"],
            "description": "How the look-up ended: `found`, `not_found`, `rejected` (Gong answered 400), `failed` (no "
            "usable answer after all tries) or `malformed` (not asked, because the entry is not an e-mail address).",
        },
        "errors": {
            "type": ["array", "null"],
            "items": {"type": ["string"]},
            "description": "Gong's messages, or the tap's own reason; null if there are none.",
        },
        "attempts": {
            "type": ["integer"],
            "description": "The calls that the look-up spent, including those that Gong answered with 429.",
        },
        "http_status": {"type": ["integer", "null"], "description": "The last HTTP status; null if there was none."},
        **{
            count_column(section): {
                "type": ["integer", "null"],
                "description": f"How many records this answer makes in `{section.stream}`, selected or not; null "
                "unless `found` or `not_found`.",
            }
            for section in SECTIONS
        },
    },
    LOOKUPS_KEYS,
)
