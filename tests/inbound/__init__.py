"""The way in: webhooks, files, what people write."""
