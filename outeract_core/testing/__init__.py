"""What the library ships to authors of adapters and bots for their own tests."""
