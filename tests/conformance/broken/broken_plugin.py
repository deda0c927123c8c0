"""The plug-in, its configuration and its stand-in, each promise broken alone."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from typing import Any

from pydantic import ConfigDict, Field, SecretStr, model_validator

from connectors.errors import DataError, FarError, TransientError
from connectors.testing import kept_port
from connectors.testing.control import answer
from tests.conformance.broken.changes import Patch, around, declared
from tests.conformance.shop import client, far
from tests.conformance.shop.client import Client, ShopConfig


def the_connector_says_what_it_is(patch: Patch) -> None:
    declared(patch, summary="")


def an_unknown_setting_is_refused(patch: Patch) -> None:
    class Lax(ShopConfig):
        model_config = ConfigDict(extra="ignore", frozen=True)

    declared(patch, config=Lax)


def a_missing_setting_is_named(patch: Patch) -> None:
    class Curt(ShopConfig):
        @model_validator(mode="before")
        @classmethod
        def _is_whole(cls, values: Any) -> Any:
            if not {"base_url", "api_key", "webhook_secret", "board"} <= values.keys():
                raise ValueError("this is not complete")
            return values

    declared(patch, config=Curt)


def a_secret_in_clear_is_refused(patch: Patch) -> None:
    class Open(ShopConfig):
        api_key: SecretStr = Field(description="Key of the API.")

    declared(patch, config=Open)


def every_setting_is_described(patch: Patch) -> None:
    class Silent(ShopConfig):
        board: str

    declared(patch, config=Silent)


def documents_are_described(patch: Patch) -> None:
    declared(patch, documents=lambda config: ())


def a_configuration_that_does_not_fit_is_refused_at_open(patch: Patch) -> None:
    def meaning(original: Callable[..., FarError], response: Any, code: str, effect: Any) -> FarError:
        return DataError(code, code) if code == "no_board" else original(response, code, effect)

    around(patch, client, "meaning", meaning)


def every_documented_error_is_what_it_means(patch: Patch) -> None:
    patch.setattr(client, "CODES", {**client.CODES, "key": TransientError})


def a_far_system_that_is_down_is_waited_for(patch: Patch) -> None:
    def send(original: Callable[..., Any], *args: Any) -> Any:
        try:
            return original(*args)
        except TransientError as error:
            raise DataError(str(error)) from error

    around(patch, client, "send", send)


def a_printed_configuration_shows_no_secret(patch: Patch) -> None:
    patch.setattr(ShopConfig, "__repr__", lambda self: f"ShopConfig({self.api_key.get_secret_value()})")


def logs_and_errors_show_no_secret(patch: Patch) -> None:
    def begun(original: Callable[..., None], self: Client, config: ShopConfig) -> None:
        logging.getLogger(__name__).debug("logging in with %s", config.api_key.get_secret_value())
        original(self, config)

    around(patch, Client, "__init__", begun)


def the_stand_in_answers_as_recorded(patch: Patch) -> None:
    patch.setattr(far.Books, "orders", lambda self, request, body: answer({"items": []}))


def the_far_system_keeps_its_address_and_records(patch: Patch) -> None:
    numbers = itertools.count()
    patch.setattr(far, "kept_port", lambda folder, name: kept_port(folder, f"{name}-{next(numbers)}"))
