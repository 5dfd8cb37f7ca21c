"""Door two: requests, proxies, what an answer may be."""
