"""Programs on top of a store: none of them ships in a store's package."""
