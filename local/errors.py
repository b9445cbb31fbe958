"""What can go wrong with the local AWS, each as one line that says what to do next."""


class LocalAwsError(Exception):
    """The message is for a person, and complete."""
