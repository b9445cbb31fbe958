"""What verifies a pattern: the stores under test, the faults and schedules that are forced on them, and the session's AWS."""
