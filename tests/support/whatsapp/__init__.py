"""What the WhatsApp tests send, receive and judge by."""
