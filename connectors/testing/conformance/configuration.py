"""What an administrator writes: declared, checked, and refused with the field and a remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import ValidationError

from connectors.config import REFERENCE, ConnectorConfig
from connectors.errors import ConfigError
from connectors.registry import names
from connectors.testing.abilities import Misconfiguration, MisconfiguredBench
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.rule import Broken, rule
from connectors.testing.running import secret_fields
from schemas.document import Value

STRANGER = "no_such_setting"
IN_CLEAR = "s3cret-in-clear-4711"


@rule("connector", "Without a name, a type of configuration and one side nothing can be named in lineshaft.yaml.")
def the_connector_says_what_it_is(desk: Desk) -> None:
    """The plug-in has a name, a summary, a configuration and at least one of source, webhook and sink."""
    connector = desk.connector
    if not connector.name or not connector.summary:
        raise Broken("name or summary of the Connector is empty: `lineshaft connector list` shows both")
    if connector.name not in names():
        raise Broken(
            f"no entry point of the group lineshaft.connectors is called {connector.name!r}, there are "
            f"{', '.join(names())}: name it in pyproject.toml as the Connector calls itself, and install the package"
        )
    if not issubclass(connector.config, ConnectorConfig):
        raise Broken(f"config is {connector.config.__name__}, which is no connectors.config.ConnectorConfig")
    if connector.source is None and connector.sink is None and connector.webhook is None:
        raise Broken("the Connector has no source, no sink and no webhook: it does nothing")


@rule("connector", "A mistyped setting that is ignored leaves a default in force that nobody chose.")
def an_unknown_setting_is_refused(desk: Desk) -> None:
    """A setting that the connector does not have is an error that names it."""
    refused = refusal(desk, {STRANGER: 1})
    if refused is None:
        raise Broken(f"the setting {STRANGER} was accepted: keep extra='forbid' of ConnectorConfig")
    if STRANGER not in said(refused):
        raise Broken(f"the refusal of {STRANGER} does not name it: {said(refused)}")


@rule("connector", "The bus would start and fail later, far from the line in lineshaft.yaml that is missing.")
def a_missing_setting_is_named(desk: Desk) -> None:
    """Every required setting that is left out is refused by name."""
    required = [name for name, field in desk.connector.config.model_fields.items() if field.is_required()]
    for name in required:
        refused = refusal(desk, {name: None})
        if refused is None or name not in said(refused):
            raise Broken(f"the required setting {name} may be left out, or its absence is told without its name")


@rule(
    "connector", "A secret in lineshaft.yaml ends up in version control, and its copy in a message ends up in logs."
)
def a_secret_in_clear_is_refused(desk: Desk) -> None:
    """A secret is a reference: one that is written down is refused, with the remedy and without repeating it."""
    nested = (
        (place, changes) for name, value in desk.bench.settings().items() for place, changes in in_clear(name, value)
    )
    declared = ((name, {name: IN_CLEAR}) for name in secret_fields(desk.connector.config))
    for name, changes in dict([*declared, *nested]).items():
        refused = refusal(desk, changes)
        if refused is None:
            raise Broken(f"{name} takes a secret in clear: declare it as connectors.config.Secret")
        if IN_CLEAR in said(refused):
            raise Broken(f"the refusal of {name} repeats the secret: {said(refused)}")
        if "${" not in said(refused):
            raise Broken(f"the refusal of {name} names no remedy (write ${{env:NAME}}): {said(refused)}")


def in_clear(name: str, value: Value) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The setting once for each secret in it, with that one written down, and where that is."""
    for place, changed in written_down(value):
        yield f"{name}{place}", {name: changed}


def written_down(value: Value) -> Iterator[tuple[str, Value]]:
    """The value once for each reference to a secret in it, and where that is."""
    if isinstance(value, str):
        yield from [("", IN_CLEAR)] if REFERENCE.match(value) else []
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from ((f".{name}{place}", {**value, name: changed}) for place, changed in written_down(each))
    elif isinstance(value, Sequence):
        for at, each in enumerate(value):
            yield from (
                (f"[{at}]{place}", [*value[:at], changed, *value[at + 1 :]]) for place, changed in written_down(each)
            )


@rule(
    "connector", "Reference page, --help and example file are made from the descriptions; an empty one leaves a hole."
)
def every_setting_is_described(desk: Desk) -> None:
    """Every setting has a description."""
    bare = [name for name, field in desk.connector.config.model_fields.items() if not field.description]
    if bare:
        raise Broken(
            f"{', '.join(bare)} of {desk.connector.config.__name__} has no description: Field(description=…)"
        )


@rule(
    "connector",
    "Mappings are checked against the documents; an undescribed field cannot be mapped or is mapped wrongly.",
)
def documents_are_described(desk: Desk) -> None:
    """`documents` gives at least one type, with distinct names and fields."""
    types = desk.connector.documents(desk.config())
    if not types:
        raise Broken("documents() gives no type: mappings of this connector cannot be checked")
    for kind in types:
        fields = [each.name for each in kind.fields]
        if not fields or len(fields) != len(set(fields)):
            raise Broken(f"the document type {kind.name} has no field, or one of them twice: {', '.join(fields)}")
    if len({kind.name for kind in types}) != len(types):
        raise Broken("two document types have one name")


@rule("connector", "The bus would start, and every record would fail one by one instead of one line being corrected.")
def a_configuration_that_does_not_fit_is_refused_at_open(desk: Desk) -> None:
    """What only the far system can find wrong is a ConfigError of `open` that names the field and a remedy."""
    for case in desk.ability(MisconfiguredBench).misconfigurations:
        _check_misconfiguration(desk, case)


def _check_misconfiguration(desk: Desk, case: Misconfiguration) -> None:
    config = desk.config(**case.settings)
    shown = f"{case.during} with {dict(case.settings)}"
    try:
        if case.during == "open source":
            with desk.source(config=config):
                pass
        else:
            with desk.sink(config=config):
                pass
    except ConfigError as error:
        if case.field not in error.field:
            raise Broken(f"{shown} names the field {error.field!r}, and {case.field} is wrong") from error
        if not error.remedy:
            raise Broken(f"{shown} is refused without a remedy: {error}") from error
        return
    raise Broken(f"{shown} succeeds: compare the configuration with the far system in open, and raise ConfigError")


def refusal(desk: Desk, changes: Mapping[str, object]) -> ValidationError | None:
    """Why the changed settings are refused, or None where they are taken."""
    try:
        desk.connector.config.model_validate(desk.bench.settings(**changes))
    except ValidationError as error:
        return error
    return None


def said(refused: ValidationError) -> str:
    """The errors as the bus shows them: without the values that came."""
    errors = refused.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in errors)
