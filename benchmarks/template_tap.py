"""A tap as the SDK's template leads to it: a REST stream for each section, and a partition for each address."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BasicAuthenticator
from typing_extensions import override

from sandbox import PATH
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.singer.schemas import field_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class SectionStream(RESTStream[None]):
    """One section of the answers. Each stream asks again for the whole answer."""

    path = PATH

    @property
    @override
    def records_jsonpath(self) -> str:
        """The JSONPath of the elements in an answer."""
        return f"$.{self.name}[*]"

    @property
    @override
    def url_base(self) -> str:
        """The API's base URL."""
        return str(self.config["api_url"])

    @property
    @override
    def authenticator(self) -> BasicAuthenticator:
        """The key pair."""
        return BasicAuthenticator(username=self.config["access_key"], password=self.config["access_key_secret"])

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        """A partition for each address."""
        return [{"email_address": address} for address in self.config["email_addresses"]]

    @override
    def get_url_params(self, context: Mapping[str, Any] | None, next_page_token: None) -> dict[str, Any]:
        """Return the address."""
        return {"emailAddress": (context or {})["email_address"]}


class TemplateTap(Tap):
    """A tap with these streams."""

    name = "template-tap"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("access_key", th.StringType, required=True),
        th.Property("access_key_secret", th.StringType, required=True),
        th.Property("email_addresses", th.ArrayType(th.StringType), required=True),
    ).to_dict()

    @override
    def discover_streams(self) -> Sequence[SectionStream]:
        """Return the five streams."""
        return [
            SectionStream(
                self,
                name=section.name,
                schema={
                    "properties": {
                        "email_address": {"type": ["string"]},
                        **{field.name: field_schema(field) for field in section.fields},
                    }
                },
            )
            for section in SECTIONS
        ]


if __name__ == "__main__":
    sys.exit(TemplateTap.cli())
