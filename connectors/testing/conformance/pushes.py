"""What a far system pushes: only the genuine is believed, and it says the same as what is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from connectors.contract import Request, Webhook
from connectors.errors import AuthError, DataError, FarError
from connectors.testing.abilities import NotifyingBench
from connectors.testing.bench import SourceBench
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.driven import follows, stamp_us
from connectors.testing.conformance.lane import strange
from connectors.testing.conformance.reading import check_there
from connectors.testing.conformance.rule import Broken, DoesNotApply, rule
from schemas.document import Document, Fields

BODIES = (b"", b"{", b"[]", b"null", b'{"op":1}', b"\xff\xfe", b"a=b&c", b"[" * 50_000, b'{"data":{"id":null}}')


@rule(
    "webhook", "What is pushed would not be on the bus before the next sweep, which may be a quarter of an hour away."
)
def a_push_becomes_a_document(desk: Desk) -> None:
    """The push of a record that a person made gives its document, with what was entered."""
    values = desk.text()
    record = made(desk, values)
    documents = [each for request in one_push(desk) for each in received(desk.webhook(), request)]
    found = [each for each in documents if each.id == record]
    if not found:
        raise Broken(f"the push of {record} gave {len(documents)} documents, and none of them is it")
    came = {name: found[-1].fields.get(name) for name in values}
    if came != values:
        raise Broken(f"the push of {record} gave {came}, and {dict(values)} was entered")


@rule(
    "webhook", "Pushed and polled, one change would count as two: only an equal revision makes the second one fall."
)
def a_push_is_the_document_that_is_read(desk: Desk) -> None:
    """The document of a push is equal to the one that a source reads of the same record."""
    if desk.connector.source is None:
        raise DoesNotApply("the connector has no source")
    record = made(desk)
    pushed = [each for request in one_push(desk) for each in received(desk.webhook(), request) if each.id == record]
    with desk.source() as source:
        source.catch_up()
        read = check_there(source, record, "the first start")
    if not pushed or pushed[-1] != read:
        raise Broken(
            f"{record} was pushed as {pushed[-1:]!r:.300} and read as {read!r:.300}: make both by one function"
        )


@rule("webhook", "Whoever knows the address could order and cancel production.")
def a_forged_push_is_refused(desk: Desk) -> None:
    """A push with another body, without its headers, or without its query is refused with AuthError."""
    made(desk)
    genuine = one_push(desk)[-1]
    for what, forged in forgeries(genuine):
        webhook = desk.webhook()
        try:
            documents = webhook.receive(forged)
        except AuthError:
            continue
        except Exception as error:
            raise Broken(
                f"a push {what} raises {type(error).__name__}: verify the signature before anything else"
            ) from error
        raise Broken(
            f"a push {what} is believed and gives {len(documents)} documents: verify the signature over the raw body"
        )


@rule(
    "webhook", "A far system pushes again what it takes for lost: the change must not happen twice, nor be refused."
)
def a_repeated_push_adds_nothing(desk: Desk) -> None:
    """The same push a second time gives the same documents or none, also to a new instance."""
    made(desk)
    webhook, request = desk.webhook(), one_push(desk)[-1]
    first = received(webhook, request)
    for who, again in (("the same instance", webhook), ("a new instance", desk.webhook())):
        second = received(again, request)
        if any(each not in first for each in second):
            raise Broken(f"a repeated push gives {who} {second!r:.300}, and was {first!r:.300}")


@rule(
    "webhook",
    "After a failure the far system pushes again; an instance that took it for known would drop the change.",
)
def a_new_instance_takes_the_push_again(desk: Desk) -> None:
    """A new instance, as the bus makes after a failure, gives the documents of a push that another had taken."""
    made(desk)
    request = one_push(desk)[-1]
    first, second = received(desk.webhook(), request), received(desk.webhook(), request)
    if first != second:
        raise Broken(
            f"a new instance makes {second!r:.300} of a push that gave {first!r:.300}: remember in memory only"
        )


@rule("webhook", "A push that was overtaken would set the record back to what it was.")
def reordered_pushes_leave_the_newest(desk: Desk) -> None:
    """Two changes pushed in the wrong order: the later one has the higher stamp."""
    record = made(desk)
    one_push(desk)
    older, newer = desk.text("older"), desk.text("newer")
    for values in (older, newer):
        people(desk).change(record, values)
    webhook = desk.webhook()
    requests = list(desk.pusher.pushed())
    found = [each for request in reversed(requests) for each in received(webhook, request) if each.id == record]
    last = max(found, key=stamp_us, default=None)
    if last is None or any(last.fields.get(name) != value for name, value in newer.items()):
        shown = None if last is None else dict(last.fields)
        raise Broken(f"of pushes in the wrong order the highest stamp has {shown!r:.300}, and {dict(newer)} was last")


@rule("webhook", "A cancelled order would be made all the same.")
def a_pushed_deletion_is_told(desk: Desk) -> None:
    """The push of a deletion gives a deleted document behind every revision the record had."""
    if desk.facts.deletions == "untold":
        raise DoesNotApply("the bench says that deletions are not told (Facts.deletions)")
    record = made(desk)
    webhook = desk.webhook()
    before = [each for request in one_push(desk) for each in received(webhook, request) if each.id == record]
    people(desk).delete(record)
    after = [each for request in one_push(desk) for each in received(webhook, request) if each.id == record]
    if not after or not after[-1].deleted or not follows(after[-1], before[-1]):
        raise Broken(
            f"the push of the deletion of {record} gave {after!r:.300}, and a newer deleted document must come"
        )


@rule("webhook", "Anybody can send anything there: what raises something else stops the ingress for everybody.")
def any_request_raises_only_far_errors(desk: Desk) -> None:
    """Whatever a request holds, receive gives documents or raises AuthError or DataError."""
    made(desk)
    genuine = one_push(desk)[-1]
    for request in (*(replace(genuine, body=body) for body in BODIES), Request("GET", "/", {}, {}, b"")):
        try:
            desk.webhook().receive(request)
        except (AuthError, DataError):
            continue
        except FarError as error:
            raise Broken(
                f"the body {request.body[:40]!r} raises {type(error).__name__}, not AuthError or DataError"
            ) from error
        except Exception as error:
            raise strange(f"receive of the body {request.body[:40]!r}", error) from error


@rule("webhook", "A lost push is a change that is never told, unless the poll of the same system closes the gap.")
def a_lost_push_is_read(desk: Desk) -> None:
    """A change whose push is lost is told by the connector's source."""
    if desk.connector.source is None:
        raise DoesNotApply("the connector has no source")
    if not desk.ability(NotifyingBench).spoil_notices("lost"):
        raise DoesNotApply("the bench says that pushes of this far system cannot be lost")
    record = made(desk)
    with desk.source() as source:
        source.until(
            lambda: record in source.newest, f"the push of {record} was lost, and the source did not give it"
        )


def people(desk: Desk) -> SourceBench:
    """Who makes the records that are pushed."""
    return desk.ability(SourceBench)


def made(desk: Desk, values: Fields | None = None) -> str:
    """A record that a person makes; what was pushed before is forgotten."""
    desk.pusher.pushed()
    return people(desk).make(values or desk.text())


def one_push(desk: Desk) -> Sequence[Request]:
    """The requests since the last call. Raises Broken where nothing is pushed."""
    requests = desk.pusher.pushed()
    if not requests:
        raise Broken("the bench pushed nothing for what a person did: look at its method pushed")
    return requests


def received(webhook: Webhook, request: Request) -> list[Document]:
    """The documents of a genuine push."""
    try:
        return list(webhook.receive(request))
    except FarError:
        raise
    except Exception as error:
        raise strange("receive", error) from error


def forgeries(genuine: Request) -> Iterator[tuple[str, Request]]:
    """The same request as somebody would send it who does not know the secret."""
    changed: Sequence[tuple[str, Callable[[bytes], bytes]]] = (
        ("with one more blank in its body", lambda body: body + b" "),
        ("with another digit in its body", lambda body: body.replace(b"1", b"2", 1) if b"1" in body else body[::-1]),
        ("with an empty body", lambda body: b""),
    )
    for what, change in changed:
        yield what, replace(genuine, body=change(genuine.body))
    yield "without headers", replace(genuine, headers={})
