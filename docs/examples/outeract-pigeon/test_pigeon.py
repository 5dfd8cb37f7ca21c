"""The pigeon adapter passes the contract of outeract_core."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

from outeract_core.testing import AdapterContract, Sample, post, reply

AT = datetime(2026, 11, 1, tzinfo=UTC)


class TestPigeon(AdapterContract):
    platform = "pigeon"
    config = {
        "token": "pigeon-loft-token",
        "webhook_secret": "pigeon-webhook-secret",
        "base_url": "https://loft.example",
    }

    def signed(self, payload, secret):
        body = json.dumps(payload).encode()
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return post(({"x-pigeon-signature": digest}, body), AT)

    def samples(self):
        secret = self.config["webhook_secret"]
        letter = {"id": "7", "from": "ada", "text": "Coo & <coo> 🐦", "at": 1793534400}
        two = {"letters": [letter, {**letter, "id": "8"}]}
        odd = {"letters": [letter, {"feather": 1}]}
        yield Sample("one", self.signed({"letters": [letter]}, secret), ("message.inbound",))
        yield Sample("two", self.signed(two, secret), ("message.inbound", "message.inbound"))
        yield Sample("one bad", self.signed(odd, secret), ("message.inbound", "unparsed"))

    def tampered(self):
        yield self.signed({"letters": []}, "another secret")
        yield self.signed({"letters": []}, self.config["token"])

    def replies(self, call):
        return reply({"id": "letter-1"}, 201)
