"""From what a grader measures to points, and what chance has to do with it."""
