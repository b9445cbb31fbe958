"""Events on DynamoDB. Start with `appends` (how they are written), then `table` (how they are read)."""
