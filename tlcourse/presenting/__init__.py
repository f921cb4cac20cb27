"""What is measured and decided, in words and marks: the same for the commands, the app and the feedback."""
