"""What is made of the gradebook for people: feedback for those who handed in, reports for the staff."""
