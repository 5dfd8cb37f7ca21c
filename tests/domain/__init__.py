"""Rules and values, without a store."""
