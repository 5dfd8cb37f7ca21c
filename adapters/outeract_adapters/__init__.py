"""The platforms that ship with outeract_core; each is registered by entry point, as any other."""
