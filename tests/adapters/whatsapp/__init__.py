"""WhatsApp: what comes in, what goes out."""
