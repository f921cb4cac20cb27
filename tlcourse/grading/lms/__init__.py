"""Learning platforms: what they hand out (class lists, groups, hand-ins) and what they take back (marks, feedback)."""
