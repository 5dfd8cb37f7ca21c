"""The way out: messages and what is done to them."""
