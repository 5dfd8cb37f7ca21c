"""The pigeon adapter passes the contract of outeract_core."""

import json
from datetime import UTC, datetime

from outeract_core.testing import AdapterContract, Sample, post, reply
from outeract_pigeon import signature

AT = datetime(2026, 11, 1, tzinfo=UTC)
LETTER = {"id": "7", "from": "ada", "text": "Coo & <coo> 🐦", "at": 1793534400}


def signed(payload, secret):
    body = json.dumps(payload).encode()
    return post(({"x-pigeon-signature": signature(body, secret).decode()}, body), AT)


class TestPigeon(AdapterContract):
    platform = "pigeon"
    config = {
        "token": "pigeon-loft-token",
        "webhook_secret": "pigeon-webhook-secret",
        "base_url": "https://loft.example",
    }

    def samples(self):
        secret = self.config["webhook_secret"]
        two = {"letters": [LETTER, {**LETTER, "id": "8"}]}
        odd = {"letters": [{"feather": 1}, LETTER]}
        yield Sample("one", signed({"letters": [LETTER]}, secret), ("message.inbound",))
        yield Sample("two", signed(two, secret), ("message.inbound", "message.inbound"))
        yield Sample("one bad", signed(odd, secret), ("unparsed", "message.inbound"))

    def tampered(self):
        yield signed({"letters": [LETTER]}, "another secret")
        yield signed({"letters": [LETTER]}, self.config["token"])

    def replies(self, call):
        if call.method == "GET":
            return reply({"name": "North loft"})
        return reply({"id": "letter-1"}, 201)
