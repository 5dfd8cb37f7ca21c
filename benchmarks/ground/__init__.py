"""What the scenarios stand on: worlds, traffic, the floor, children that are started or killed."""
