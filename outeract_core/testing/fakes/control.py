"""Steering a `FakePlatform` from another process: plain HTTP below `/control`, JSON in and out.

Knows: the verbs and what may be given to each.
Does not know: what they do (`platform.py`), sockets.

    GET  /control/sent        the accepted messages            ?platform=
    GET  /control/duplicates  the messages that came twice     ?platform=
    GET  /control/requests    method and path of every request
    POST /control/fail        n, path, status, body, headers
    POST /control/throttle    n, path, after
    POST /control/refuse      n, path
    POST /control/drop        n, path, done
    POST /control/hang        n, path, done
    POST /control/calm
    POST /control/webhook     platform, to (a URL), secret, statuses
    POST /control/say         platform, and what that player's say() takes; delivered by webhook too
    POST /control/wait        count, platform, timeout: the accepted messages, as soon as there are so many
    POST /control/settled     timeout: whether every webhook was accepted
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from .record import Answer, Received, Request, answer_json

__all__ = ["answer", "meant"]

_ROOT = "/control/"
_PLAIN = frozenset({"fail", "throttle", "refuse", "drop", "hang", "calm", "settled"})


class Steered(Protocol):
    """What is steered; `FakePlatform` is one."""

    requests: list[Request]
    players: Any

    def sent(self, platform: Any = None) -> Sequence[Received]:
        """The accepted messages."""
        ...

    def wait(self, count: int, platform: Any = None, timeout: float = 10.0) -> Sequence[Received]:
        """The accepted messages, as soon as there are so many."""
        ...

    def duplicates(self, platform: Any = None) -> Sequence[Sequence[Received]]:
        """The messages that came more than once."""
        ...

    def webhook(self, platform: Any, to: Any, secret: str, statuses: Any = ()) -> None:
        """Where a platform delivers to."""
        ...

    def connected(self, platform: Any) -> bool:
        """Whether a platform has somewhere to deliver to."""
        ...

    def deliver(self, platform: Any, payload: Any) -> None:
        """Bring a payload to the webhook."""
        ...


def meant(request: Request) -> bool:
    """Whether this request steers the fake instead of asking a platform."""
    return request.path.startswith(_ROOT)


def answer(fake: Steered, request: Request) -> Answer:
    """Do what is asked: 200 with `{"result": …}`; 400 wrong arguments, 404 unknown verb, 408 waited too long."""
    verb = request.path.removeprefix(_ROOT)
    verbs = _READS if request.method == "GET" else _WRITES
    if verb not in verbs:
        return answer_json({"error": f"no {request.method} {_ROOT}{verb}"}, 404)
    try:
        return answer_json({"result": verbs[verb](fake, _given(request))})
    except TimeoutError as error:
        return answer_json({"error": str(error)}, 408)
    except (TypeError, ValueError, LookupError) as error:
        return answer_json({"error": str(error)}, 400)


def _given(request: Request) -> Mapping[str, Any]:
    """The arguments: a query, or a JSON object whatever its content type says."""
    if not request.body:
        return request.query
    if not isinstance(request.json, dict):
        raise ValueError("the body must be a JSON object")
    return request.json


def _sent(fake: Steered, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_shown(message) for message in fake.sent(given.get("platform"))]


def _wait(fake: Steered, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_shown(message) for message in fake.wait(**given)]


def _duplicates(fake: Steered, given: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    return [[_shown(one) for one in copies] for copies in fake.duplicates(given.get("platform"))]


def _requests(fake: Steered, _: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"method": one.method, "path": one.path} for one in list(fake.requests)]


def _shown(message: Received) -> dict[str, Any]:
    """A message as JSON; of its files only what they are."""
    files = [
        {
            "filename": file.filename,
            "mime_type": file.mime_type,
            "size": len(file.data),
            "sha256": hashlib.sha256(file.data).hexdigest(),
        }
        for file in message.files
    ]
    return {
        "platform": message.platform,
        "method": message.method,
        "chat": message.chat,
        "text": message.text,
        "id": message.id,
        "at": message.at.isoformat(),
        "correlation": message.correlation,
        "files": files,
    }


def _webhook(fake: Steered, given: Mapping[str, Any]) -> None:
    if not str(given.get("to")).startswith(("http://", "https://")):
        raise ValueError("to must be a URL")
    fake.webhook(**given)


def _say(fake: Steered, given: Mapping[str, Any]) -> Any:
    """The payload; brought to the webhook where the platform has one."""
    left: dict[str, Any] = dict(given)
    platform = str(left.pop("platform", None))
    if platform not in fake.players:
        raise ValueError(f"no platform {platform!r}; there are {', '.join(fake.players)}")
    player: Any = fake.players[platform]
    payload = player.say(**left)
    if fake.connected(platform):
        fake.deliver(platform, payload)
    return payload


def _plain(verb: str) -> Callable[[Steered, Mapping[str, Any]], Any]:
    return lambda fake, given: getattr(fake, verb)(**given)


_READS: dict[str, Callable[[Steered, Mapping[str, Any]], Any]] = {
    "sent": _sent,
    "duplicates": _duplicates,
    "requests": _requests,
}
_WRITES: dict[str, Callable[[Steered, Mapping[str, Any]], Any]] = {
    **{verb: _plain(verb) for verb in _PLAIN},
    "wait": _wait,
    "webhook": _webhook,
    "say": _say,
}
