"""What verifies a pattern: the stores under test, the faults and schedules forced on them, the session's own AWS."""
