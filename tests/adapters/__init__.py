"""What the built-in adapters make of their platforms."""
