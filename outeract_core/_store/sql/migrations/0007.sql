-- What was not delivered is found without looking at what was.
CREATE INDEX delivery_undelivered ON delivery(event) WHERE status IN ('failed', 'unknown');
