"""What the library ships for the tests of others."""
