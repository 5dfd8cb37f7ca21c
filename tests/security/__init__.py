"""What the threat model promises: each test is written as the attack."""
