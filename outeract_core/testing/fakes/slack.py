"""Slack's Web API as far as bots use it: what slack.com/api would answer.

Knows: methods, how a message is made, the three-step upload, refusals in 200s.
Does not know: HTTP servers, which method fits which message (`slack_messages.py`), blocks (their text
is what the sender says it is), channels by name.
Source of shapes: docs.slack.dev and responses recorded by Slack's own SDKs.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import quote

from .limits.slack import READING, UPDATES
from .record import Answer, Received, Request, Upload, World, answer_json
from .slack_directory import Directory, RefusedError
from .slack_messages import Messages
from .slack_params import (
    channel_of,
    correlation_of,
    decoded,
    direct,
    escaped,
    held,
    kind_of,
    place_of,
    reaction_of,
    worded,
)

__all__ = ["FakeSlack"]

TEAM, USER, BOT, APP = "T0FAKE001", "U0FAKEBOT", "B0FAKE001", "A0FAKE001"

_METHOD = re.compile(r"/(?:api/)?([a-z]+(?:\.[A-Za-z]+)+)")
_UPLOAD = re.compile(r"/slack-upload/(\w+)")
_FILE = re.compile(r"/slack-files/(\w+)/.*")
_LOGIN_PAGE = b"<!DOCTYPE html><html><title>Slack</title><body>Sign in</body></html>"


_NEEDS = {
    "chat.postMessage": "chat:write", "chat.update": "chat:write", "chat.delete": "chat:write",
    "reactions.add": "reactions:write", "reactions.remove": "reactions:write",
    "files.getUploadURLExternal": "files:write", "files.completeUploadExternal": "files:write",
    "files.info": "files:read", "conversations.open": "im:write",
}  # fmt: skip
"""Slack docs, the methods' pages: the scope of a bot token that each needs."""
_READ = ("conversations.history", "conversations.replies")
_KINDS = {"D": "im", "U": "im", "W": "im", "G": "groups"}
_SCOPES = ("channels:history", "groups:history", "im:history", "mpim:history", "reactions:read",
           "users:read", "channels:read", "groups:read", "im:read", "mpim:read")  # fmt: skip


class FakeSlack:
    """The player. `say`: an Events API payload; `add_file`: what an inbound message can name."""

    def __init__(self, world: World, token: str | None = None) -> None:
        self._world = world
        self._token = token
        self._counter = self._events = 0
        self._messages = Messages()
        self._files: dict[str, Upload] = {}
        self._shares: dict[str, dict[str, Any]] = {}
        self.scopes: set[str] = {*_NEEDS.values(), *_SCOPES}
        """What the bot token may do; what is taken away is refused as `missing_scope`."""
        self.directory = Directory(lambda: self.scopes, TEAM, USER, BOT, APP)
        """Who and what is in the workspace."""

    @property
    def emoji(self) -> set[str] | None:
        """The names that a reaction may have; None: whatever has the form of a name."""
        return self._messages.emoji

    @emoji.setter
    def emoji(self, names: set[str] | None) -> None:
        self._messages.emoji = names

    # ── what people do ──

    def say(self, user: str, text: str, channel: str | None = None, **more: Any) -> dict[str, Any]:
        """An `event_callback` in which `user` writes `text` (escaped as Slack would).

        In a direct message, or in `channel`; `more` goes into the event. A message that was not said
        here does not exist: a payload made elsewhere is told with `ts`.
        """
        ts = self._ts()
        where = channel or direct(user)
        self.directory.met(user)
        self.directory.seen(where)
        event = {
            "type": "message", "channel": where, "channel_type": kind_of(where), "user": user,
            "text": escaped(text), "ts": ts, "event_ts": ts, "team": TEAM, **more,
        }  # fmt: skip
        self._messages.heard(str(event["channel"]), str(event["ts"]))
        return self._event(event)

    def echo(self, message: Received) -> dict[str, Any]:
        """An `event_callback` that shows the bot its own message; files make it a `file_share`."""
        said = self._messages.post(message.chat, message.id)
        subtype = {"subtype": "file_share"} if message.files else {}
        about = {"channel_type": kind_of(message.chat), "event_ts": message.id}
        return self._event({**said, **about, **subtype})

    def rename(self, user: str, name: str, picture: str | None = None) -> dict[str, Any]:
        """An `event_callback` that tells that `user` is shown so from now on (`user_change`)."""
        person = self.directory.called(user, name, picture)
        return self._event({"type": "user_change", "user": person, "event_ts": self._ts()})

    def retitle(self, channel: str, name: str) -> dict[str, Any]:
        """An `event_callback` that tells that a channel is called so from now on (`channel_rename`)."""
        told = self.directory.titled(channel, name)
        return self._event({"type": "channel_rename", "channel": told, "event_ts": self._ts()})

    def _event(self, event: dict[str, Any]) -> dict[str, Any]:
        with self._world.changed:
            self._events += 1
        return {
            "token": "unused", "team_id": TEAM, "api_app_id": APP, "type": "event_callback",
            "event": event, "event_id": f"Ev{self._events:08d}", "event_time": self._world.seconds,
            "authorizations": [{"team_id": TEAM, "user_id": USER, "is_bot": True}],
        }  # fmt: skip

    def add_file(self, data: bytes, name: str, mime_type: str) -> dict[str, Any]:
        """A file object as `event.files[]` holds it; its `url_private` leads to `data`."""
        with self._world.changed:
            return self._describe(self._keep(Upload(name, mime_type, data)))

    # ── what the bot asks ──

    def speaks(self, path: str) -> bool:
        """Whether a request with this path is for Slack."""
        return any(pattern.fullmatch(path) for pattern in (_METHOD, _UPLOAD, _FILE))

    def answer(self, request: Request) -> Answer | None:
        """The answer, or None when the path is not Slack's."""
        if found := _FILE.fullmatch(request.path):
            return self._download(found[1], request)
        if found := _UPLOAD.fullmatch(request.path):
            return self._receive(found[1], request)
        if not (found := _METHOD.fullmatch(request.path)):
            return None
        try:
            self._allow(request)
            params = {**request.query, **request.form} if found[1] in READING else request.params
            self._may(found[1], params)
            told = {"ok": True, **self._do(found[1], params)}
        except RefusedError as no:
            told = {"ok": False, "error": str(no), **no.more}
            if str(no) in ("not_authed", "invalid_auth"):
                return answer_json(told)
        answer = answer_json(told)
        scopes = {"x-oauth-scopes": ",".join(sorted(self.scopes))}
        return Answer(answer.status, answer.body, {**answer.headers, **scopes})

    def _may(self, method: str, params: dict[str, Any]) -> None:
        """Slack docs: each method names the scope that it needs; those of a channel go by its kind."""
        kind = _KINDS.get(str(params.get("channel") or "")[:1], "channels")
        needed = _NEEDS.get(method) or (f"{kind}:history" if method in _READ else None)
        if needed is not None and needed not in self.scopes:
            provided = ",".join(sorted(self.scopes))
            raise RefusedError("missing_scope", needed=needed, provided=provided)

    def _allow(self, request: Request) -> None:
        token = request.bearer or request.params.get("token")
        if not token:
            raise RefusedError("not_authed")
        if self._token is not None and token != self._token:
            raise RefusedError("invalid_auth")

    def _do(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        handler = getattr(self, f"_do_{method.replace('.', '_').lower()}", None)
        if handler is None:
            raise RefusedError("unknown_method")
        found: dict[str, Any] = handler(params)
        return found

    def _ts(self) -> str:
        with self._world.changed:
            self._counter += 1
            return f"{self._world.seconds}.{self._counter:06d}"

    # ── messages ──

    def _do_chat_postmessage(self, params: dict[str, Any]) -> dict[str, Any]:
        text = worded(params)
        message = self._post(channel_of(params), text, params)
        return {"channel": message["channel"], "ts": message["ts"], "message": message}

    def _post(
        self, channel: str, text: str, params: dict[str, Any], files: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        metadata = decoded(params.get("metadata"))
        message: dict[str, Any] = {
            "type": "message", "user": USER, "bot_id": BOT, "app_id": APP, "team": TEAM,
            "text": text, "ts": self._ts(), "channel": channel,
        }  # fmt: skip
        if params.get("thread_ts"):
            message["thread_ts"] = params["thread_ts"]
        if metadata:
            message["metadata"] = metadata
        if files:
            message["files"] = [self._describe(file_id) for file_id in files]
        self._messages.keep(channel, message)
        self.directory.seen(channel)
        if channel.startswith("D"):
            self.directory.met(f"U{channel[1:]}")
        self._world.receive(Received(
            platform="slack", method="files.completeUploadExternal" if files else "chat.postMessage",
            chat=channel, text=unescape(text), id=message["ts"], at=self._world.clock(),
            correlation=correlation_of(metadata),
            files=tuple(self._files[file_id] for file_id in files), params=params,
        ))  # fmt: skip
        return message

    def _do_chat_update(self, params: dict[str, Any]) -> dict[str, Any]:
        channel, ts = place_of(params), str(params.get("ts"))
        held(params, UPDATES)
        edited = {"user": USER, "ts": self._ts()}
        message = self._messages.edited(channel, ts, {"text": worded(params), "edited": edited})
        return {"channel": channel, "ts": ts, "text": message["text"], "message": message}

    def _do_chat_delete(self, params: dict[str, Any]) -> dict[str, Any]:
        channel, ts = place_of(params), str(params.get("ts"))
        self._messages.deleted(channel, ts)
        return {"channel": channel, "ts": ts}

    def _do_reactions_add(self, params: dict[str, Any]) -> dict[str, Any]:
        self._messages.reacted(*reaction_of(params))
        return {}

    def _do_reactions_remove(self, params: dict[str, Any]) -> dict[str, Any]:
        self._messages.unreacted(*reaction_of(params))
        return {}

    # ── channels and people ──

    def _do_conversations_open(self, params: dict[str, Any]) -> dict[str, Any]:
        users = str(params.get("users") or "").split(",")
        if not users[0]:
            raise RefusedError("users_list_not_supplied")
        for user in users:
            self.directory.met(user)
        channel = direct(users[0]) if len(users) == 1 else f"G{'x'.join(users)}"
        return {"channel": {"id": channel}, "no_op": False, "already_open": False}

    def _do_conversations_mark(self, params: dict[str, Any]) -> dict[str, Any]:
        place_of(params)
        if not params.get("ts"):
            raise RefusedError("invalid_timestamp")
        return {}

    def _do_conversations_history(self, params: dict[str, Any]) -> dict[str, Any]:
        """Newest first; metadata only when it is asked for, as conversations.history says."""
        channel = place_of(params)
        keep = str(params.get("include_all_metadata")).lower() in ("1", "true")
        oldest, latest = str(params.get("oldest") or ""), str(params.get("latest") or "~")
        found = [
            {k: v for k, v in message.items() if keep or k != "metadata"}
            for (where, ts), message in self._messages.posts()
            if where == channel and oldest < ts < latest
        ]
        limit = int(params.get("limit") or 100)
        newest = sorted(found, key=lambda message: message["ts"], reverse=True)
        start = int(params.get("cursor") or 0)
        more = len(found) > start + limit
        cursor = str(start + limit) if more else ""
        return {
            "messages": newest[start : start + limit], "has_more": more,
            "response_metadata": {"next_cursor": cursor},
        }  # fmt: skip

    def _do_conversations_replies(self, params: dict[str, Any]) -> dict[str, Any]:
        root = str(params.get("ts"))
        found = self._do_conversations_history(params | {"limit": 1000})["messages"]
        thread = [m for m in reversed(found) if root in (m["ts"], m.get("thread_ts"))]
        return {"messages": thread, "has_more": False}

    def _do_conversations_info(self, params: dict[str, Any]) -> dict[str, Any]:
        return self.directory.conversations_info(params)

    def _do_users_info(self, params: dict[str, Any]) -> dict[str, Any]:
        return self.directory.users_info(params)

    def _do_bots_info(self, params: dict[str, Any]) -> dict[str, Any]:
        return self.directory.bots_info(params)

    def _do_auth_test(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "url": "https://fake.slack.com/", "team": "Fake team", "team_id": TEAM,
            "user": "fakebot", "user_id": USER, "bot_id": BOT, "is_enterprise_install": False,
        }  # fmt: skip

    # ── files ──

    def _keep(self, upload: Upload) -> str:
        file_id = f"F{len(self._files) + 1:08d}"
        self._files[file_id] = upload
        return file_id

    def _describe(self, file_id: str) -> dict[str, Any]:
        file = self._files[file_id]
        url = f"{self._world.url}/slack-files/{file_id}/{quote(file.filename)}"
        return {
            "id": file_id, "name": file.filename, "title": file.filename, "mode": "hosted",
            "mimetype": file.mime_type, "filetype": file.filename.rpartition(".")[2],
            "size": len(file.data), "user": USER, "url_private": url, "url_private_download": url,
            "shares": self._shares.get(file_id, {}),
        }  # fmt: skip

    def _do_files_getuploadurlexternal(self, params: dict[str, Any]) -> dict[str, Any]:
        if not params.get("filename") or int(params.get("length") or 0) <= 0:
            raise RefusedError("invalid_arguments")
        file_id = self._keep(Upload(str(params["filename"]), "application/octet-stream", b""))
        return {"upload_url": f"{self._world.url}/slack-upload/{file_id}", "file_id": file_id}

    def _receive(self, file_id: str, request: Request) -> Answer:
        """The second step: raw bytes, or a multipart body with one file."""
        if file_id not in self._files:
            return Answer(404)
        parts = list(request.files.values())
        data, name = parts[0].data if parts else request.body, self._files[file_id].filename
        mime = "text/plain" if name.endswith(".txt") else "application/octet-stream"
        self._files[file_id] = Upload(name, mime, data)
        return Answer(200, f"OK - {len(data)}".encode())

    def _do_files_completeuploadexternal(self, params: dict[str, Any]) -> dict[str, Any]:
        """The third step. Slack posts the message later, so the answer does not know its ts yet:
        `files.info` and the event tell it.
        """
        listed = decoded(params.get("files")) or []
        files = tuple(str(item.get("id")) for item in listed)
        if not files or any(file_id not in self._files for file_id in files):
            raise RefusedError("file_not_found")
        channel = params.get("channel_id") or str(params.get("channels") or "").partition(",")[0]
        if channel:
            target = channel_of({"channel": channel})
            message = self._post(target, str(params.get("initial_comment") or ""), params, files)
            share = {"public": {target: [{"ts": message["ts"]}]}}
            self._shares |= dict.fromkeys(files, share)
        return {"files": [{**self._describe(file_id), "shares": {}} for file_id in files]}

    def _do_files_info(self, params: dict[str, Any]) -> dict[str, Any]:
        if params.get("file") not in self._files:
            raise RefusedError("file_not_found")
        return {"file": self._describe(str(params["file"]))}

    def _download(self, file_id: str, request: Request) -> Answer:
        """Slack, working with files: without a good token the answer is 200 and a login page."""
        allowed = request.bearer and self._token in (None, request.bearer)
        if not allowed:
            return Answer(200, _LOGIN_PAGE, {"content-type": "text/html; charset=utf-8"})
        if file_id not in self._files:
            return Answer(404)
        file = self._files[file_id]
        return Answer(200, file.data, {"content-type": file.mime_type})
