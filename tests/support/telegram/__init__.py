"""What the Telegram tests send, receive and judge by."""
