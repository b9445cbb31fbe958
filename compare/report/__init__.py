"""What a comparison is shown as: one page, a summary in the terminal, and the guide in the README."""
