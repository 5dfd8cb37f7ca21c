"""The store and its applications, as a bot's author holds them."""
