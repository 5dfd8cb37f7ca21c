"""What the Slack tests send and receive."""
