"""What is drawn with characters, for the screen and for commands alike."""
