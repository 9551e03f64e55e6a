"""What the sandbox knows about an address: Gong's documented example, or made-up data.

The address decides what Gong holds, so that every sandbox gives the same data about it:

* `test@test.com`: the example values of Gong's documentation, unchanged;
* an address that begins with `unknown`: nothing;
* any other address: at least one made-up element in each of the five sections.
"""

from __future__ import annotations

import copy
import json
import random
from typing import Any

EXAMPLE_ADDRESS = "test@test.com"
EXAMPLE_ANSWER: dict[str, Any] = {
    "requestId": "4al018gzaztcr8nbukw",
    "emails": [
        {
            "from": "test@test.com",
            "id": "223mjfaaqqjuegabiyrmpctvcwwl75oz",
            "sentTime": "2019-01-20T00:00:00-08:00",
            "mailbox": "test@test.com",
            "messageHash": "l3z7w2s7oircdabnkwizmycm6g2uwznc",
        }
    ],
    "calls": [
        {
            "id": "7782342274025937895",
            "status": "COMPLETED",
            "externalSystems": [
                {
                    "system": "Salesforce",
                    "objects": [{"objectType": "Task", "externalId": "0013601230sV7grAAC"}],
                }
            ],
        }
    ],
    "meetings": [{"id": "8059707022269524529.sb5gr1tgpt5dd799eh035rb3dk@google.com_2022-06-30T13:00:00Z"}],
    "customerData": [
        {
            "system": "Salesforce",
            "objects": [
                {
                    "id": "7782342274025937895",
                    "objectType": "Contact",
                    "externalId": "0013601230sV7grAAC",
                    "mirrorId": '{"integrationId":"262834820328732","crmObjectType":"CONTACT",'
                    '"crmId":"0031Q00002DFhi4QAD"}',
                    "fields": [{"name": "name", "value": "Gong Inc."}],
                }
            ],
        }
    ],
    "customerEngagement": [
        {
            "eventType": "ExternalCallViewing",
            "timestamp": "2019-01-20T08:00:00Z",
            "contentId": "7782342274025937895",
            "contentUrl": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
            "reportingSystem": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
            "eventName": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
            "sourceEventId": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
        }
    ],
}

_ALPHANUMERICS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SYSTEMS = ("Salesforce", "HubSpot", "MicrosoftDynamic", "Generic")
_EVENT_TYPES = ("contentShared", "contentViewed", "customEvent", "digitalInteraction")
_TIME_ENDINGS = ("Z", "-03:00", ".834+05:30", ".233692Z")
_SECTIONS = ("emails", "calls", "meetings", "customerData", "customerEngagement")
_ERASED = ("emails", "calls", "customerData")
"""What Gong says it erases. Meetings and engagement events are not mentioned, so the sandbox keeps them."""


def documented_answer(address: str, emails: int = 0, *, call: int = 1, is_erased: bool = False) -> dict[str, Any]:
    """Return the body that the sandbox answers to a look-up.

    Args:
        address: The address that is asked about.
        emails: How many e-mails a made-up answer holds; 0 lets the address decide.
        call: Which call about this address it is, counted from 1. Only the `requestId` depends on it.
        is_erased: Whether Gong has erased the address.
    """
    data = _held(address, emails)
    if is_erased:
        data |= {section: [] for section in _ERASED}
    return {"requestId": request_id(address, call), **data}


def request_id(address: str, call: int = 1) -> str:
    """Return the `requestId` of the first, second, … call about an address."""
    if address == EXAMPLE_ADDRESS and call == 1:
        return str(EXAMPLE_ANSWER["requestId"])
    return _drawn_id(_source(address if call == 1 else f"{address} {call}"))


def _held(address: str, emails: int) -> dict[str, Any]:
    if address == EXAMPLE_ADDRESS:
        return {section: copy.deepcopy(EXAMPLE_ANSWER[section]) for section in _SECTIONS}
    if address.startswith("unknown"):
        return {section: [] for section in _SECTIONS}
    draw = _source(address)
    _drawn_id(draw)  # the first values of this source are those of `request_id`
    systems = draw.sample(_SYSTEMS, k=draw.randint(1, 2))
    return {
        "emails": [_email(draw) for _ in range(emails or draw.randint(1, 6))],
        "calls": [_call(draw) for _ in range(draw.randint(1, 3))],
        "meetings": [_meeting(draw) for _ in range(draw.randint(1, 3))],
        "customerData": [_customer_data(draw, system) for system in systems],
        "customerEngagement": [_event(draw) for _ in range(draw.randint(1, 4))],
    }


def _source(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - made-up data, not cryptography


def _drawn_id(draw: random.Random) -> str:
    return "4al" + "".join(draw.choices(_ALPHANUMERICS, k=16))


def _email(draw: random.Random) -> dict[str, Any]:
    return {
        "from": f"sender{draw.randint(1, 9)}@example.com",
        "id": _hash(draw),
        "sentTime": _time(draw),
        "mailbox": f"mailbox{draw.randint(1, 9)}@example.com",
        "messageHash": _hash(draw),
    }


def _call(draw: random.Random) -> dict[str, Any]:
    links = [
        {"objectType": draw.choice(("Conversation", "Task")), "externalId": _external_id(draw)}
        for _ in range(draw.randint(1, 2))
    ]
    system = {"system": draw.choice(_SYSTEMS), "objects": links}
    return {"id": _number(draw), "status": "COMPLETED", "externalSystems": [system]}


def _meeting(draw: random.Random) -> dict[str, Any]:
    return {"id": f"{_number(draw)}.{_hash(draw)}@google.com_2022-06-30T13:00:00Z"}


def _customer_data(draw: random.Random, system: str) -> dict[str, Any]:
    kind, external_id = draw.choice(("Lead", "Contact")), _external_id(draw)
    mirror = {"integrationId": _number(draw), "crmObjectType": kind.upper(), "crmId": external_id}
    fields = {
        "name": f"Example {draw.randint(1, 999)} Inc.",
        "Amount": draw.randint(1, 99_999) / 100,
        "Newsletter__c": draw.choice((True, False, None)),
        "Regions__c": draw.sample(("AMER", "APAC", "EMEA"), k=2),
    }
    record = {
        "id": _number(draw),
        "objectType": kind,
        "externalId": external_id,
        "mirrorId": json.dumps(mirror),
        "fields": [{"name": name, "value": value} for name, value in fields.items()],
    }
    return {"system": system, "objects": [record]}


def _event(draw: random.Random) -> dict[str, Any]:
    return {
        "eventType": draw.choice(_EVENT_TYPES),
        "timestamp": _time(draw),
        "contentId": _number(draw),
        "contentUrl": f"https://app.gong.io/e/c-share/tkn={_hash(draw)}",
        "reportingSystem": draw.choice(_SYSTEMS),
        "eventName": draw.choice(("Viewed a recording", "Opened a link")),
        "sourceEventId": _hash(draw),
    }


def _hash(draw: random.Random) -> str:
    return f"{draw.getrandbits(128):032x}"


def _number(draw: random.Random) -> str:
    return str(draw.randrange(10**18, 10**19))


def _external_id(draw: random.Random) -> str:
    return f"003{draw.getrandbits(60):015X}"


def _time(draw: random.Random) -> str:
    bits = draw.getrandbits(16)
    date = f"{2019 + bits % 6}-{1 + bits % 12:02}-{1 + bits % 28:02}"
    return f"{date}T{bits % 24:02}:{bits % 60:02}:{bits % 59:02}{draw.choice(_TIME_ENDINGS)}"
