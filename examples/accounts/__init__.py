"""A sample domain on top of the event store: bank accounts. Commands in `commands`, a read model in `balances`."""
