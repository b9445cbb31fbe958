"""What the measurements mean: money, ceilings, late events, and which store suits which need."""
