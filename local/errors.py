"""What can go wrong with the local AWS and the environments it runs in, each as one line that says what to do next."""


class LocalAwsError(Exception):
    """The message is for a person, and complete."""


class LocalAwsUsageError(LocalAwsError):
    """What the caller has set cannot be."""


class VenvError(LocalAwsError):
    """A virtual environment could not be made."""
