"""The local AWS: MiniStack with IAM enforced, in one process on one port of 127.0.0.1."""
